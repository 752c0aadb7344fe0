"""Django's loaddata, whose errors name the row and say in a sentence what is wrong with it."""

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.management import CommandError
from django.core.management.commands import loaddata
from django.db import DatabaseError, IntegrityError, transaction

from measures.characters import printable


class Command(loaddata.Command):
    def save_obj(self, obj):
        row = obj.object
        try:
            for field, key in (obj.deferred_fields or {}).items():
                if not field.null and not field.many_to_many:
                    raise ValidationError({field.name: f"there is no {'/'.join(map(str, key))}."})
            row.clean_fields()
            return self._save(obj)
        except (ValidationError, DatabaseError) as error:
            raise CommandError(
                printable(
                    f"{row._meta.label_lower} {'/'.join(row.natural_key())}: "
                    f"{' '.join(_sentences(error))}"
                )
            ) from error

    def _save(self, obj):
        try:
            with transaction.atomic(using=self.using):
                return super().save_obj(obj)
        except IntegrityError:
            # The database says which constraint; the row says in a sentence what it is about. Asked
            # of every row, that would take half of the time.
            obj.object.validate_constraints()
            raise


def _sentences(error) -> list[str]:
    """What is wrong, with the name of the field where it is about one."""
    if not isinstance(error, ValidationError):
        return [str(argument) for argument in error.args]
    return [
        text if name == NON_FIELD_ERRORS else f"{name}: {text}"
        for name, texts in error.message_dict.items()
        for text in texts
    ]
