"""Sign-ins go to the trail; Django and axes report them by signals alone."""

from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from .trail import Action, record


@receiver(user_logged_in)
def signed_in(sender, user, **kwargs):
    record(Action.SIGNED_IN, by=user)


@receiver(user_logged_out)
def signed_out(sender, user, **kwargs):
    if user is not None:
        record(Action.SIGNED_OUT, by=user)


@receiver(user_login_failed)
def sign_in_failed(sender, credentials, **kwargs):
    record(Action.SIGN_IN_FAILED, actor_name=str(credentials.get("username", ""))[:150])


@receiver(user_locked_out)
def locked_out(sender, username, **kwargs):
    record(Action.LOCKED_OUT, actor_name=str(username or "")[:150])
