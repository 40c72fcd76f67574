"""The way from an error's sentence to what to do about it."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from config.remedies import address_of

register = template.Library()


@register.simple_tag
def remedy(kind: str, code: object = "") -> str | SafeString:
    """A link to the entry of a code of that kind in the troubleshooting guide; nothing where there
    is none."""
    address = address_of(kind, str(code or ""))
    if address is None:
        return ""
    return format_html('<a class="remedy" href="{}">{}</a>', address, _("What to do"))
