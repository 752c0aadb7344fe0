#: Named in backups; a release changes it.
VERSION = "2026.11"
