"""Which departments ask for the sign-off of their head: an administrator says so, at once."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.forms import ModelForm
from django.utils.translation import gettext as _

from measures.access import HEAD
from measures.models import SignOffRule, User

from .recorded import RecordsChanges


class SignOffRuleForm(ModelForm):
    """Refuses a department whose rows would wait for nobody."""

    def clean_department(self):
        department = self.cleaned_data["department"]
        heads = User.objects.filter(
            is_active=True, is_staff=True, groups__name=HEAD, departments=department
        )
        if not heads.exists():
            raise ValidationError(
                _("Nobody in %(department)s has the role of its head: what it submits would wait.")
                % {"department": department}
            )
        return department


@admin.register(SignOffRule)
class SignOffRuleAdmin(RecordsChanges):
    form = SignOffRuleForm
    list_display = ("department", "since")
    autocomplete_fields = ("department",)

    def has_change_permission(self, request, obj=None):
        return False

    def delete_model(self, request, obj):
        super().delete_model(request, obj)
        text = _("What waits in %(department)s for its head goes on to the reviewer.")
        messages.info(request, text % {"department": obj.department})
