"""What a round asked for when it was locked stays so, also for raw SQL; see ``metrics.due``."""

DUE, ROUNDS = "metrics_rounddue", "measures_round"
FIXED = "what was due in a locked round is fixed"
#: For a row that is to be inserted
IS_FIXED = (
    f"EXISTS (SELECT 1 FROM {ROUNDS} r WHERE r.id = NEW.round_id AND r.due_fixed_at IS NOT NULL)"
)
_CHANGED = (
    "OLD.due_fixed_at IS NOT NULL "
    "AND (NEW.due_fixed_at IS NULL OR NEW.due_fixed_at <> OLD.due_fixed_at)"
)


def rules() -> list[tuple[str, str, str, str]]:
    """As those of ``protection``: neither the table changes nor the moment since when it stands."""
    return [
        (DUE, "UPDATE", "1 = 1", FIXED),
        (DUE, "DELETE", "1 = 1", FIXED),
        (ROUNDS, "UPDATE", _CHANGED, FIXED),
        (ROUNDS, "DELETE", "OLD.due_fixed_at IS NOT NULL", FIXED),
    ]
