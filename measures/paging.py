"""Long lists on numbered pages."""

from django.core.paginator import InvalidPage, Page, Paginator
from django.http import Http404
from django.utils.translation import gettext as _


def page_or_404(paginator: Paginator, number: int | str) -> Page:
    """The page of that number; raises Http404 if there is none."""
    try:
        return paginator.page(number)
    except InvalidPage as error:
        raise Http404(_("This list has no such page.")) from error
