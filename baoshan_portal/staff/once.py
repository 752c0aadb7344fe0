"""A form that arrives twice, by a double click or sent anew, does what it does once.

A key in the form tells; the second is answered as the first one was.
"""

import re
from collections.abc import Callable
from datetime import timedelta

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from measures.models import SentForm

#: How long a form is known.
LASTS = timedelta(days=3)
KEY = re.compile(r"[0-9a-f]{32}")


def taken_once(request, act: Callable[[], HttpResponse]) -> HttpResponse:
    """What ``act`` answers; if the form has led somewhere before, the way there and no more.

    A form that was refused may come again with the same key. What ``act`` raises leaves nothing.
    """
    key = request.POST.get("once", "") if request.method == "POST" else ""
    if not KEY.fullmatch(key):
        return act()
    with transaction.atomic():
        if first := _claim(key, request.user):
            messages.info(request, _("This form had arrived already, so it was taken once."))
            return redirect(first.answer)
        answer = act()
        form = SentForm.objects.filter(key=key, by=request.user)
        if answer.status_code == 302:
            form.update(answer=answer.url)
        else:
            form.delete()
        return answer


def _claim(key: str, user) -> SentForm | None:
    """The form of that key that ``user`` sent before; None, and its key taken, if it is the first.

    Whoever sends it at the same moment waits here until the first one is answered.
    """
    SentForm.objects.filter(at__lt=timezone.now() - LASTS).delete()
    try:
        with transaction.atomic():
            SentForm.objects.create(key=key, by=user)
    except IntegrityError:
        return SentForm.objects.filter(key=key, by=user).exclude(answer="").first()
    return None
