"""Binance's own exports: brought, looked at, taken in, undone."""

from contextlib import suppress
from typing import Any
from uuid import UUID

import structlog
from celery import Task
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from kombu.exceptions import OperationalError

from accounts.access import own_account
from accounts.models import ExchangeAccount
from accounts.requests import SignedInRequest
from journal import tasks
from journal.faults import Fault, NotAFile
from journal.models import Sync, Upload
from journal.services import exports, importing, undoing
from journal.sync.doorkeeping import PAGE_PATIENCE, Busy

log = structlog.get_logger(__name__)
State = Upload.State
LISTED = 50
# what may be otherwise when the same file is looked at again
PASSING = {"busy", "worker", "changed", "failed"}


class UploadForm(forms.Form):
    file = forms.FileField(max_length=200)
    zone = forms.CharField(required=False, max_length=40)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def import_file(request: SignedInRequest, account_id: UUID) -> HttpResponse:
    """The files of an account, one of them looked at (`?upload=`); POST brings one."""
    account = own_account(request.user, account_id)
    exports.tidy(account)
    problem = ""
    if request.method == "POST":
        try:
            row = _brought(account, request)
        except NotAFile as error:
            problem = str(error)
        else:
            return redirect(_page(account, row))
    is_part = request.headers.get("X-Part") == "refresh"
    template = "journal/_upload.html" if is_part else "journal/import.html"
    mine = Upload.objects.visible_to(request.user).filter(account=account)
    upload_id = request.GET.get("upload", "")
    shown = (
        mine.filter(pk=upload_id).first() if upload_id.isdecimal() and len(upload_id) < 18 else None
    )
    context = {
        "account": account,
        "zones": exports.ZONES,
        "problem": problem,
        "upload": shown,
        "uploads": mine.exclude(state=State.WAITING).defer("body")[:LISTED],
    }
    return render(request, template, context | (_shown(shown) if shown else {}))


def _brought(account: ExchangeAccount, request: SignedInRequest) -> Upload:
    """Raises NotAFile."""
    form = UploadForm(request.POST, request.FILES)
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile) or not file.size:
        raise NotAFile("empty")
    if file.size > exports.MOST_BYTES:
        raise NotAFile("too_large", most=exports.MOST_BYTES // 1_000_000)
    zone = form.data.get("zone", "")[:40]
    row = exports.upload(account=account, name=file.name or "", body=file.read(), zone=zone)
    _look(row)
    return row


@login_required
@require_POST
def change(request: SignedInRequest, account_id: UUID, upload_id: int) -> HttpResponse:
    """`do` is zone, take (with the digest of what was looked at), undo or forget."""
    account = own_account(request.user, account_id)
    row = get_object_or_404(Upload.objects.filter(account=account), pk=upload_id)
    wish = request.POST.get("do", "")
    if wish == "zone" and row.state in {State.LOOKED, State.FAILED}:
        try:
            _look(exports.choose_zone(row, request.POST.get("zone", "")))
        except NotAFile as error:
            messages.error(request, str(error))
    elif wish == "take" and row.state == State.LOOKED:
        _take(row, request)
    elif wish == "undo" and row.state == State.TAKEN:
        _undo(row, request)
    elif wish == "forget" and row.state in {State.LOOKED, State.FAILED, State.UNDONE}:
        row.delete()
        return redirect("account-import", account.pk)
    elif wish not in {"zone", "take", "undo", "forget"}:
        return HttpResponseBadRequest(_("Expected something to do with the file."))
    return redirect(_page(account, row))


def _look(row: Upload) -> None:
    if exports.is_small(row):
        with suppress(Busy):
            importing.look(row, PAGE_PATIENCE)
            return
    _hand_over(row, tasks.look_at_upload, row.pk)


def _take(row: Upload, request: SignedInRequest) -> None:
    digest = request.POST.get("digest", "")
    Sync.objects.filter(account=row.account).update(is_due=True)
    if not exports.move(row, State.TAKING, [State.LOOKED]):
        return  # pressed twice
    if not exports.is_small(row):
        _hand_over(row, tasks.take_upload, row.pk, request.user.pk, digest)
        return
    try:
        importing.take_in(row, user=request.user, digest=digest, patience=PAGE_PATIENCE)
    except Busy:
        _hand_over(row, tasks.take_upload, row.pk, request.user.pk, digest)
        return
    if row.state == State.TAKEN:
        messages.success(request, _("%(count)s rows are new and in.") % {"count": row.rows_taken})
        tasks.settle_soon()


def _undo(row: Upload, request: SignedInRequest) -> None:
    if not exports.move(row, State.UNDOING, [State.TAKEN]):
        return  # pressed twice
    if not exports.is_small_to_undo(row):
        _hand_over(row, tasks.undo_upload, row.pk, request.user.pk)
        return
    try:
        count = undoing.undo(row, user=request.user, patience=PAGE_PATIENCE)
    except Busy:
        _hand_over(row, tasks.undo_upload, row.pk, request.user.pk)
        return
    if row.state == State.UNDONE:
        gone = _("%(count)s rows of the file are gone again.")
        messages.success(request, gone % {"count": count})
        tasks.settle_soon()


def _hand_over(row: Upload, task: Task, *args: Any) -> None:
    """To a worker. Without a broker the page says so, and nothing has changed."""
    try:
        task.delay_on_commit(*args)
    except OperationalError as error:
        log.warning("file not queued", upload=row.pk, error=type(error).__name__)
        exports.not_queued(row)


def _page(account: ExchangeAccount, row: Upload) -> str:
    return f"{reverse('account-import', args=[account.pk])}?upload={row.pk}"


def _shown(row: Upload) -> dict[str, Any]:
    """The preview as the page wants it."""
    preview = row.preview
    left_out = [
        {"member": left["member"], "line": left["line"], "reason": Fault.from_json(left)}
        for left in preview.get("left_out", ())
    ]
    times = {name: parse_datetime(preview[name]) for name in ("first", "last") if preview.get(name)}
    sample = [{**line, "time": parse_datetime(line["time"])} for line in preview.get("sample", ())]
    return {
        "compared": exports.compared(row),
        "preview": preview,
        "left_out": left_out,
        "sample": sample,
        **times,
        "can_look_again": row.problem.get("code") in PASSING,
        "reason": Fault.from_json(row.problem) if row.problem else None,
    }
