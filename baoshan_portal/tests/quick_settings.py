"""The portal's settings, by which it takes no time to sign many people in.

A slow hash protects nobody in a test; that of the portal takes most of a second.
"""

from baoshan_portal.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
