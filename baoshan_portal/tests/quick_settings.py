"""The portal's settings, by which it takes no time to sign many people in.

A slow hash protects nobody in a test; that of the portal takes most of a second.
"""

from django.conf.global_settings import PASSWORD_HASHERS

from baoshan_portal.settings import *  # noqa: F403

# What was hashed before, slowly, is known as well.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]
