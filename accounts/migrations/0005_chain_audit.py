"""What was there becomes what is there now: tokens get an end and their scopes, audit rows a chain,
and loads of credentials a table of their own."""

import hashlib
import json
from datetime import timedelta

from django.db import migrations
from django.utils import timezone

LOADED = "credentials loaded"
# As accounts.scopes.DEFAULT was when tokens got scopes: all but trading.
SCOPES = ["read", "journal", "accounts", "alerts"]


def chain(apps, schema_editor):
    apps.get_model("accounts", "ApiToken").objects.update(
        expires_at=timezone.now() + timedelta(days=90), scopes=SCOPES
    )
    entries = apps.get_model("accounts", "AuditEntry").objects
    uses = apps.get_model("accounts", "CredentialUse")
    chains = apps.get_model("accounts", "AuditChain")
    since = timezone.now() - timedelta(days=90)
    loads = entries.filter(action=LOADED, at__gte=since).order_by("pk")
    for entry in loads.iterator(chunk_size=2000):
        use = uses.objects.create(
            owner_id=entry.owner_id, actor_id=entry.actor_id, subject=entry.subject, why=entry.why
        )
        uses.objects.filter(pk=use.pk).update(at=entry.at)
    entries.filter(action=LOADED).delete()
    for owner in list(entries.order_by().values_list("owner_id", flat=True).distinct()):
        number, previous = 0, ""
        for entry in entries.filter(owner_id=owner).order_by("at", "pk").iterator(chunk_size=2000):
            number += 1
            digest = _digest(entry, number, previous)
            entries.filter(pk=entry.pk).update(number=number, previous=previous, digest=digest)
            previous = digest
        chains.objects.create(owner_number=owner, length=number, digest=previous)


def _digest(entry, number, previous):
    told = {
        "action": entry.action,
        "actor": entry.actor_id,
        "at": entry.at.isoformat(),
        "number": number,
        "owner": entry.owner_id,
        "previous": previous,
        "subject": entry.subject,
        "why": entry.why,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def unchain(apps, schema_editor):
    entries = apps.get_model("accounts", "AuditEntry").objects
    entries.filter(owner_id=None).delete()
    for use in apps.get_model("accounts", "CredentialUse").objects.iterator(chunk_size=2000):
        entries.create(
            at=use.at, owner_id=use.owner_id, actor_id=use.actor_id, action=LOADED,
            subject=use.subject, why=use.why, number=0,
        )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_access")]

    operations = [migrations.RunPython(chain, unchain, elidable=True)]
