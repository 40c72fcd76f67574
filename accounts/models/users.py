"""Who signs in."""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A trader. Everything private hangs on one user."""

    class Currency(models.TextChoices):
        USD = "USD", _("US dollar")
        EUR = "EUR", _("Euro")
        BTC = "BTC", "Bitcoin"
        ETH = "ETH", "Ether"
        BNB = "BNB", "BNB"

    email = models.EmailField(unique=True)
    # what balances are shown in; where its price is not known, in dollars
    report_currency = models.CharField(max_length=3, choices=Currency.choices, default=Currency.USD)

    # CIDR networks that this user may come from; none: from anywhere
    networks = models.JSONField(default=list, blank=True)

    objects: ClassVar[UserManager["User"]] = UserManager()  # type: ignore[assignment]
