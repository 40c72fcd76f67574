"""Whether anything has changed that an answer was made of, told by a few small sums."""

import hashlib
import json

from django.db.models import Count, Max, Sum

from accounts.models import User
from journal.models import Annotation, Book, Preferences, Setup, TradesVersion

# raised when an answer is made otherwise
METHOD = 2


def version_of(user: User, chosen: Preferences) -> str:
    """Of a user's trades, notes and ways to count: another text when one of them is another."""
    books = Book.objects.visible_to(user).aggregate(Count("pk"), Sum("built"), Max("pk"))
    stamps = TradesVersion.objects.visible_to(user).aggregate(Sum("number"))
    notes = Annotation.objects.visible_to(user)
    written = notes.aggregate(Count("pk"), Max("updated_at"))
    tags = Annotation.tags.through.objects.filter(annotation__user=user)
    tagged = tags.aggregate(Count("pk"), Max("pk"))
    setups = list(Setup.objects.visible_to(user).values_list("pk", "name", "rules"))
    ways = [METHOD, user.report_currency, chosen.zone, chosen.day_start, chosen.usual_risk]
    told = [ways, books, stamps, written, tagged, setups]
    return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()
