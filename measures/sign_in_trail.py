"""Sign-ins go to the trail; Django reports them by signals alone."""

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver

from .trail import Action, record


@receiver(user_logged_in)
def signed_in(sender, user, **kwargs):
    record(Action.SIGNED_IN, by=user)


@receiver(user_logged_out)
def signed_out(sender, user, **kwargs):
    if user is not None:
        record(Action.SIGNED_OUT, by=user)
