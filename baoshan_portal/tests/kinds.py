"""One address for every kind of public page of a running portal, for the tests in a browser."""

from collections import Counter

from .pages import EMBEDS, PLAIN_PAGES, rows_of
from .server import Server

# Kinds that the report itself has none of: every figure has a value, no measure has a note, no
# value was corrected, nothing was evaluated, no name is as long as a name may be.
_ADD = """
from datetime import date
from measures.models import Measure
from measures.models import Opinion, Report, Stage
from measures.tests.factories import make_evaluation, make_measure, make_note, make_stage
from metrics.models import Indicator
from metrics.tests.factories import make_indicator, make_observation
first = Indicator.objects.published().select_related('measure__theme', 'unit').first()
make_indicator(code='without-value', measure=first.measure, unit=first.unit, order=900)
long = make_measure(code='long', theme=first.measure.theme, order=900,
    name='推动科技型中小企业梯度培育'.ljust(120, '链'), name_en='', summary='说明', summary_en='')
make_indicator(code='long', measure=long, unit=first.unit, order=901, name='指标' * 60, name_en='')
make_note(measure=long, published=date(2023, 9, 1), text='已完成选址。', text_en='',
    evidence_url='https://example.org/' + 'long-' * 30)
old = first.observations.published().get()
make_observation(indicator=first, supersedes=old, revision=2, correction_reason='核对后更正',
    value='123456789', as_written='123456789', published=date(2023, 9, 1))
votes = dict(satisfied=3, fairly_satisfied=12, not_satisfied=24, abstained=0)
word = dict(document='会议纪要', document_url='https://example.org/', published=date(2023, 9, 20))
place = dict(section=first.measure.theme.section), dict(theme=first.measure.theme)
for subject in (*place, dict(report=Report.objects.first())):
    make_evaluation(grade='not-satisfied', decision='followed-up', note='继续督办', **votes, **word,
        **subject)
make_evaluation(published=date(2023, 9, 1), **place[0])
make_stage(opinion=Opinion.objects.first(), stage=Stage.HANDED_OVER, happened_on=date(2023, 1, 6),
    published=date(2023, 9, 1))
print(first.code)
"""

OTHERS = (
    "/?as_of=2023-08-01",
    "/?as_of=2023-07-01",
    "/?order=worst",
    "/questions/?kind=no-figure",
    "/questions/?by=department",
    "/questions/?kind=missed",
    "/measures/?q=企业",
    "/measures/?q=zzzz",
    "/indicators/?category=funds",
    "/indicators/?q=zzzz",
    "/indicators/?page=2",
    "/targets/?q=zzzz",
    "/checks/?result=fails",
    "/changes/?from=2023-08-01",
    "/compare/?indicator=high-tech-enterprises",
    "/compare/?indicator=high-tech-enterprises&indicator=technology-smes-registered",
    "/departments/nanda/",
    "/find/?q=148.54",
    "/find/?q=zzzz",
    "/packs/?theme=core-area",
    "/measures/long/",
    "/indicators/long/",
    "/indicators/without-value/",
    "/indicators/high-tech-enterprises/",
)
#: Pages that say why they cannot answer.
ERRORS = (
    "/nothing/",
    "/indicators/high-tech-enterprises/?as_of=2023-07-01",
    "/?as_of=yesterday",
    "/indicators/?category=nonsense",
    "/compare/?indicator=nonsense",
)
#: Of these another one stands for the kind: what differs is how many rows there are.
ALIKE = frozenset(
    (
        "/sections/2/", "/sections/3/", "/sections/4/", "/compare/platforms/",
        "/counted/platforms/", "/?as_of=2023-08-01", "/questions/?kind=missed", "/measures/?q=企业",
        "/measures/?q=zzzz", "/targets/?q=zzzz", "/indicators/?page=2",
        "/compare/?indicator=high-tech-enterprises", "/compare/?indicator=nonsense",
        "/?as_of=yesterday", "/indicators/high-tech-enterprises/?as_of=2023-07-01",
        "/?order=worst", "/checks/?result=fails", "/changes/?from=2023-08-01", "/find/",
        "/departments/nanda/", "/indicators/?category=funds", "/questions/?kind=no-figure",
        "/compare/enterprises/", "/indicators/high-tech-enterprises/", "/targets/",
        "/questions/?by=department",
    )
)  # fmt: skip


def add_rarities(server: Server) -> str:
    """Store rows of every kind that the report has none of; the code of the corrected figure."""
    return server.manage("shell", "-c", _ADD).split()[-1]


def kinds(server: Server) -> list[str]:
    """Addresses in Chinese; those of single rows are chosen by what the rows have."""
    corrected = add_rarities(server)
    measures = rows_of(server.text("/data/measures.csv"))
    values = Counter(
        row["indicator_code"] for row in rows_of(server.text("/data/observations.csv"))
    )
    target = rows_of(server.text("/data/targets.csv"))[0]["indicator_code"]
    busy = max(measures, key=lambda row: int(row["indicators"]))["code"]
    idle = next(row["code"] for row in measures if row["indicators"] == "0")
    return [
        # The pack of everything takes a minute to look at and has no other kind of page in it.
        *(address for address in PLAIN_PAGES if address != "/packs/"),
        *OTHERS,
        *EMBEDS,
        *ERRORS,
        *(f"/measures/{code}/" for code in (busy, idle)),
        *(f"/indicators/{code}/" for code in (target, values.most_common(1)[0][0], corrected)),
    ]
