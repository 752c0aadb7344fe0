"""Accounts, roles and who belongs to which office: what an administrator looks after.

An administrator manages accounts and has no say over figures; so the role is never held together
with another, and nobody changes what they may do themselves. Every change goes to the trail.
"""

from axes.utils import reset
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Concat
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy
from django_otp.plugins.otp_totp.admin import TOTPDevice

from measures.models import Department, RolePolicy, User
from measures.reorganisation import hand_over, move_measures, move_staff, open_work
from measures.trail import Action, differences, record

from ..accounts import faults_of_rights, rights_of
from ..addresses import change_url
from ..imports.many.page import invite_address
from ..invitations import invite_page
from ..sign_in import remove_second_factor
from .ask_once import asks_once
from .files import TakesFiles
from .recorded import RecordsChanges
from .reviewed import ReviewedAdmin


class _RolesAndOffices(forms.ModelForm):
    departments = forms.ModelMultipleChoiceField(
        Department.objects.all(),
        label=_("Departments"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def clean(self):
        data = super().clean()
        touched = {"groups", "departments", "is_active"} & set(self.changed_data)
        if not {"groups", "departments"} <= data.keys() or (self.instance.pk and not touched):
            return data
        faults = faults_of_rights(
            [group.name for group in data["groups"]],
            data["departments"],
            is_superuser=data.get("is_superuser", self.instance.is_superuser),
        )
        # An account that is inactive does nothing, and need not be able to.
        if data.get("is_active", True):
            for name, fault in faults.items():
                self.add_error("groups" if name == "roles" else name, fault)
        return data

    def _save_m2m(self):
        super()._save_m2m()
        if "departments" in self.cleaned_data:
            self.instance.departments.set(self.cleaned_data["departments"])


class AccountForm(_RolesAndOffices, UserChangeForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "departments" in self.fields:
            self.fields["departments"].initial = self.instance.departments.all()


class OwnAccountForm(UserChangeForm):
    """One's own account: without roles and offices."""


class NewAccountForm(_RolesAndOffices, AdminUserCreationForm):
    """A one-time link is the usual way to a first password; see ``invitations``."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["usable_password"]
        field.label = _("First password")
        field.help_text = _("A link is mailed, or printed and handed over; it can be used once.")
        field.choices = field.widget.choices = [
            ("false", _("The person chooses it by a one-time link")),
            ("true", _("I set it here; it must be changed at the first sign-in")),
        ]
        field.initial = "false"


class HandOverForm(ActionForm):
    """Beside the actions: who goes on with the work."""

    to = forms.ModelChoiceField(
        User.objects.none(), label=_("to account"), required=False, to_field_name="username"
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = User.objects.filter(is_active=True).order_by("username")


class AccountAdmin(TakesFiles, RecordsChanges, UserAdmin):
    form = AccountForm
    add_form = NewAccountForm
    list_display = (
        "username", "name", "roles", "offices", "is_active",
        "has_second_factor", "last_login",
    )  # fmt: skip
    list_filter = ("is_active", "groups", "departments")
    filter_horizontal = ("user_permissions",)
    action_form = HandOverForm
    actions = ("invite_selected", "hand_over", "hand_over_and_end", "remove_second_factors")
    rights_fieldset = (
        _("What the account may do"),
        {
            "fields": ("is_active", "is_staff", "groups", "departments", "must_change_password"),
            "description": _("An editor sees and enters what the ticked departments lead."),
        },
    )
    read_only_fieldset = (
        _("What the account may do"),
        {"fields": ("is_active", "roles", "offices", "last_login")},
    )
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("last_name", "first_name", "email")}),
        rights_fieldset,
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    superuser_fieldset = (_("Superusers only"), {"fields": ("is_superuser", "user_permissions")})
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": (
                    "username", "last_name", "first_name", "email", "groups", "departments",
                    "usable_password", "password1", "password2",
                ),
            },
        ),
    )  # fmt: skip
    readonly_fields = ("last_login", "date_joined")

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        if obj and not self.has_change_permission(request, obj):
            return (*fieldsets[:2], self.read_only_fieldset)
        if obj and request.user.is_superuser:
            return (*fieldsets, self.superuser_fieldset)
        if obj == request.user:
            return tuple(part for part in fieldsets if part is not self.rights_fieldset)
        return fieldsets

    def get_form(self, request, obj=None, **kwargs):
        if obj == request.user and not request.user.is_superuser:
            kwargs["form"] = OwnAccountForm
        return super().get_form(request, obj, **kwargs)

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        if db_field.name == "groups":
            kwargs["widget"] = forms.CheckboxSelectMultiple
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_queryset(self, request):
        devices = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        rows = super().get_queryset(request).prefetch_related("groups", "departments")
        return rows.annotate(second_factor=Exists(devices))

    def get_urls(self):
        page = self.admin_site.admin_view(self.invite)
        return [path("invite/", page, name="measures_user_invite"), *super().get_urls()]

    def invite(self, request):
        """One-time links for the accounts ``?ids=``."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        return invite_page(request, {**self.admin_site.each_context(request), "opts": self.opts})

    @admin.display(
        description=pgettext_lazy("of a person", "name"), ordering=Concat("last_name", "first_name")
    )
    def name(self, user):
        return user.get_full_name()

    @admin.display(description=_("roles"))
    def roles(self, user):
        return ", ".join(group.name for group in user.groups.all())

    @admin.display(description=_("departments"))
    def offices(self, user):
        return ", ".join(str(department) for department in user.departments.all())

    @admin.display(description=_("second factor"), boolean=True, ordering="second_factor")
    def has_second_factor(self, user):
        return user.second_factor

    def has_change_permission(self, request, obj=None):
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or request.user.is_superuser or not obj.is_superuser)

    def has_delete_permission(self, request, obj=None):
        # Whoever leaves is made inactive, so that what they did keeps its author.
        return False

    def content(self, user):
        return {}  # All that is recorded of an account is about rights.

    def rights(self, user):
        return rights_of(user)

    def save_model(self, request, obj, form, change):
        if not change:
            obj.is_staff = True
            obj.must_change_password = obj.has_usable_password()
        super().save_model(request, obj, form, change)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        if not change or not {"departments", "is_active"} & set(form.changed_data):
            return
        if rows := len(open_work([form.instance])):
            text = ngettext(
                "%(n)d row of this account is still open: hand it over in the list.",
                "%(n)d rows of this account are still open: hand them over in the list.",
                rows,
            )
            self.message_user(request, text % {"n": rows}, messages.WARNING)

    def response_add(self, request, obj, post_url_continue=None):
        if not obj.has_usable_password() and "_popup" not in request.POST:
            return redirect(invite_address([obj]))
        return super().response_add(request, obj, post_url_continue)

    @admin.action(
        description=_("Invite the selected accounts by a one-time link"), permissions=["change"]
    )
    def invite_selected(self, request, queryset):
        return redirect(invite_address(list(queryset)))

    @admin.action(
        description=_("Hand over the open work of the selected accounts"), permissions=["change"]
    )
    @asks_once(_("Hand over the open work of these accounts?"))
    def hand_over(self, request, queryset):
        self._hand_over(request, queryset, ends=False)

    @admin.action(
        description=_("Hand over the open work and end the selected accounts"),
        permissions=["change"],
    )
    @asks_once(_("Hand over the open work and end these accounts?"))
    def hand_over_and_end(self, request, queryset):
        self._hand_over(request, queryset, ends=True)

    def _hand_over(self, request, queryset, *, ends: bool) -> None:
        to = User.objects.filter(is_active=True, username=request.POST.get("to", "")).first()
        if to is None:
            self.message_user(request, _("Choose who goes on with the work."), messages.ERROR)
            return
        people = [user for user in queryset if self.has_change_permission(request, user)]
        if {request.user, to} & set(people):
            text = _("Choose accounts other than your own and the one that goes on.")
            self.message_user(request, text, messages.ERROR)
            return
        try:
            with transaction.atomic():
                for user in people if ends else ():
                    self._end(user, request.user)
                rows = hand_over(people, to, by=request.user)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return
        text = ngettext("%(n)d row went over.", "%(n)d rows went over.", rows)
        self.message_user(request, text % {"n": rows}, messages.SUCCESS)

    def _end(self, user, by) -> None:
        before = self._snapshots(user)[1]
        user.is_active = False
        user.save(update_fields=["is_active"])
        old, new = differences(before, self._snapshots(user)[1])
        if new:
            record(Action.PERMISSIONS_CHANGED, by=by, subject=user, before=old, after=new)

    @transaction.atomic
    def user_change_password(self, request, id, form_url=""):
        user = self.get_object(request, id)
        if user == request.user:
            return redirect("admin:password_change")
        response = super().user_change_password(request, id, form_url)
        changed = User.objects.filter(pk=user.pk).exclude(password=user.password)
        # Whoever sets a password for somebody else knows it, so it is an initial one again.
        if request.method == "POST" and changed.update(must_change_password=True):
            record(Action.PASSWORD_CHANGED, by=request.user, subject=user)
            reset(username=user.get_username())
        return response

    @admin.action(
        description=_("Remove the second factor of the selected accounts"), permissions=["change"]
    )
    @asks_once(_("Remove the second factor of these accounts?"))
    def remove_second_factors(self, request, queryset):
        others = queryset.exclude(pk=request.user.pk)
        allowed = [user for user in others if self.has_change_permission(request, user)]
        removed = sum(remove_second_factor(user, by=request.user) for user in allowed)
        self.message_user(
            request,
            ngettext(
                "The second factor of %(n)d account was removed.",
                "The second factor of %(n)d accounts was removed.",
                removed,
            )
            % {"n": removed},
            messages.SUCCESS,
        )


class RoleForm(forms.ModelForm):
    require_second_factor = forms.BooleanField(
        label=_("Second factor required"),
        required=False,
        help_text=_("Whoever has this role sets one up at the next sign-in, before all else."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "require_second_factor" in self.fields:
            self.fields["require_second_factor"].initial = _requires(self.instance)


class RoleAdmin(RecordsChanges):
    """What a role may do is part of the program; what it takes to sign in is set here."""

    form = RoleForm
    list_display = ("name", "second_factor")
    list_select_related = ("policy",)
    fields = ("name", "require_second_factor", "people", "may")
    readonly_fields = ("name", "people", "may")
    search_fields = ("name",)

    @admin.display(description=_("second factor required"), boolean=True)
    def second_factor(self, group):
        return _requires(group)

    @admin.display(description=_("accounts"))
    def people(self, group):
        return ", ".join(map(str, group.user_set.order_by("username"))) or "—"

    @admin.display(description=_("permissions"))
    def may(self, group):
        permissions = group.permissions.select_related("content_type")
        return format_html_join("", "{}<br>", ((permission,) for permission in permissions))

    def content(self, group):
        return {}  # A role's name and permissions come with the program.

    def rights(self, group):
        return {str(_("second factor required")): str(_("yes") if _requires(group) else _("no"))}

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        RolePolicy.objects.update_or_create(
            group=obj,
            defaults={"require_second_factor": form.cleaned_data["require_second_factor"]},
        )

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("measures.change_user")

    def has_delete_permission(self, request, obj=None):
        return False


def _requires(group) -> bool:
    policy = getattr(group, "policy", None)
    return bool(policy and policy.require_second_factor)


class MembersForm(forms.ModelForm):
    """Refuses that people who are not superusers change what they belong to themselves."""

    user = None

    def clean_members(self):
        members = self.cleaned_data["members"]
        before = set(self.instance.members.all()) if self.instance.pk else set()
        if not self.user.is_superuser and self.user in before.symmetric_difference(members):
            raise ValidationError(_("Nobody changes what they belong to themselves."))
        return members

    def clean(self):
        data = super().clean()
        if data.get("succeeded_by") and not self.has_error("ended_on"):
            self.instance.ended_on = data.get("ended_on")
            try:
                self.instance.clean_part([row.code for row in data["succeeded_by"]])
            except ValidationError as error:
                self.add_error("ended_on", error)
        return data


class SuccessorForm(ActionForm):
    """Beside the actions: which department takes over."""

    to = forms.ModelChoiceField(
        Department.objects.none(),
        label=_("to department"),
        required=False,
        to_field_name="code",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = Department.objects.standing()


@admin.register(Department)
class DepartmentAdmin(ReviewedAdmin):
    """Stewards reword it, by review; administrators say who belongs to it, at once."""

    form = MembersForm
    # Nothing public shows it before a reviewed change names it.
    is_made_by_review = False
    list_display = ("code", "name", "name_en", "ended_on")
    list_filter = ("ended_on",)
    autocomplete_fields = ("members", "succeeded_by")
    action_form = SuccessorForm
    actions = ("move_measures", "move_staff")

    def get_exclude(self, request, obj=None):
        # A new office begins as one that stands.
        return None if obj else ("ended_on", "succeeded_by")

    def get_search_results(self, request, queryset, search_term):
        found, distinct = super().get_search_results(request, queryset, search_term)
        # What is asked for here is given something new.
        if request.GET.get("field_name") in ("lead", "supporting", "succeeded_by"):
            found = found.standing()
        return found, distinct

    def parts(self, form, formsets):
        if "succeeded_by" not in form.cleaned_data:
            return {}
        return {"succeeded_by": sorted(row.code for row in form.cleaned_data["succeeded_by"])}

    def has_reword_permission(self, request):
        return request.user.has_perm("measures.change_revision")

    def has_staff_permission(self, request):
        return request.user.has_perm("measures.change_user")

    @admin.action(
        description=_("Move the measures of the selected departments"), permissions=["reword"]
    )
    def move_measures(self, request, queryset):
        if to := self._successor(request):
            try:
                revision = move_measures(list(queryset), to, by=request.user)
            except ValidationError as error:
                self.message_user(request, " ".join(error.messages), messages.ERROR)
                return None
            return redirect(change_url(revision))
        return None

    @admin.action(
        description=_("Move the staff of the selected departments"), permissions=["staff"]
    )
    @asks_once(_("Move the staff of these departments?"))
    def move_staff(self, request, queryset):
        if to := self._successor(request):
            n = move_staff(list(queryset), to, by=request.user)
            text = ngettext("%(n)d account went over.", "%(n)d accounts went over.", n)
            self.message_user(request, text % {"n": n})

    def _successor(self, request) -> Department | None:
        """The department chosen beside the action, of those that stand."""
        code = request.POST.get("to", "")
        found = Department.objects.standing().filter(code=code).first()
        if found is None:
            self.message_user(request, _("Choose the department that takes over."), messages.ERROR)
        return found

    def get_form(self, request, obj=None, **kwargs):
        form = super().get_form(request, obj, **kwargs)
        return type(form.__name__, (form,), {"user": request.user})

    def get_readonly_fields(self, request, obj=None):
        fields = super().get_readonly_fields(request, obj)
        if obj and not request.user.has_perm("measures.change_revision"):
            fields = (*fields, "name", "name_en", "ended_on", "succeeded_by")
        return fields if request.user.has_perm("measures.change_user") else (*fields, "members")

    def save_related(self, request, form, formsets, change):
        if request.entries_of is not None and "members" in form.cleaned_data:
            before = self._snapshots(request.entries_of)[1]
            request.entries_of.members.set(form.cleaned_data["members"])
            old, new = differences(before, self._snapshots(request.entries_of)[1])
            if new:
                record(
                    Action.PERMISSIONS_CHANGED,
                    by=request.user,
                    subject=request.entries_of,
                    before=old,
                    after=new,
                )
        super().save_related(request, form, formsets, change)

    def rights(self, department):
        return {str(_("members")): ", ".join(map(str, department.members.order_by("username")))}


admin.site.register(User, AccountAdmin)
# Replaces what Django registers; devices are shown to their owners alone.
admin.site.unregister([Group, TOTPDevice])
admin.site.register(Group, RoleAdmin)
