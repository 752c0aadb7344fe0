"""How a department's own table is read: where its figures stand, and which indicators they are.

A row is written each time somebody shows it anew, and the newest of a table counts; what an
import of last year went by can so be looked up.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from measures import access
from measures.fields import CharField
from measures.models import Department


class TableMappingQuerySet(models.QuerySet):
    def in_force(self, department: Department) -> list["TableMapping"]:
        """The newest version of each table of the department, the newest one first."""
        found = {}
        for row in self.filter(department=department).order_by("-number").select_related("by"):
            found.setdefault((row.name, row.months), row)
        return sorted(found.values(), key=lambda row: (row.at, row.pk), reverse=True)


class TableMapping(models.Model):
    """One version of how the table ``name`` of a department is read in rounds of so many months.

    ``layout`` and ``indicators`` are written and read by the staff side's ``imports.own_table``.
    """

    department = models.ForeignKey(
        Department, models.PROTECT, related_name="table_mappings", verbose_name=_("department")
    )
    name = CharField(_("table"), max_length=100)
    months = models.PositiveSmallIntegerField(
        _("months"),
        help_text=_("Of a round’s period: a quarter’s figures stand in other columns."),
    )
    number = models.PositiveSmallIntegerField(_("version"))
    layout = models.JSONField(_("layout"))
    indicators = models.JSONField(_("indicators"), blank=True, default=dict)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("when"), default=timezone.now, editable=False)

    role_rights: access.Rights = access.TABLE_MAPPING
    #: How to get from a row to the department whose members may see it.
    department_path = "department"

    objects = TableMappingQuerySet.as_manager()

    class Meta:
        default_permissions = ("add", "view")
        ordering = ["department", "name", "months", "-number"]
        verbose_name = _("own table of a department")
        verbose_name_plural = _("own tables of departments")
        constraints = [
            models.UniqueConstraint(
                fields=["department", "name", "months", "number"],
                name="tablemapping_version_once",
                violation_error_message=_("There is this version of the table already."),
            ),
            models.CheckConstraint(
                condition=~Q(name=""),
                name="tablemapping_has_name",
                violation_error_message=_("A table needs a name."),
            ),
            models.CheckConstraint(
                condition=Q(months__gte=1) & Q(number__gte=1),
                name="tablemapping_counts_from_one",
                violation_error_message=_("Months and versions are counted from 1."),
            ),
        ]

    def __str__(self):
        return _("%(table)s, version %(number)d") % {"table": self.name, "number": self.number}
