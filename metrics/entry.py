"""From what a person types to a value in an indicator's unit."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from .models import Unit
from .rules.choices import Qualifier
from .rules.quantity import LIMIT, LONGEST_TEXT, QuantityError, convert, read


@dataclass(frozen=True)
class Entry:
    """A figure read into an indicator's unit; ``converted_from`` is the unit that was typed, if
    it was another one of the same quantity, else None."""

    value: Decimal
    qualifier: Qualifier
    converted_from: Unit | None


def read_entry(text: str, unit: Unit, units: dict[str, Unit]) -> Entry:
    """``text`` as a value in ``unit``; ``units`` are all units by their printed name.

    1100万元 for an indicator in 亿元 becomes 0.11. Raises QuantityError if the text cannot be
    read, is in a unit of another quantity, or if text or value do not fit into an observation.
    """
    # Spaces do not count when the text is read, but they would be stored.
    if len(text) > LONGEST_TEXT:
        raise QuantityError(_("This is too long for one figure."), text)
    quantity = read(text, unit=unit.name, units=units.keys())
    if quantity.unit == unit.name:
        return Entry(quantity.value, quantity.qualifier, None)
    typed = units.get(quantity.unit)
    if typed is None or typed.quantity != unit.quantity:
        raise QuantityError(
            _("This figure is in %(typed)s, but the indicator is counted in %(unit)s.")
            % {"typed": quantity.unit, "unit": unit.name},
            text,
        )
    value = convert(quantity.value, factor_from=typed.factor, factor_to=unit.factor)
    if abs(value) >= LIMIT:
        raise QuantityError(
            _("At most 11 digits before and 4 after the decimal point are kept."), text
        )
    if value != round(value, 4):
        raise QuantityError(
            _("Converted to %(unit)s this needs more than four decimals.") % {"unit": unit.name},
            text,
        )
    return Entry(value, quantity.qualifier, typed)
