"""Writes the chained record for ``measures/chain_check.py``, which needs nothing else."""

import json
from dataclasses import asdict

from django.core.management import BaseCommand

from ...chain import linked, seal, young


class Command(BaseCommand):
    help = (
        "Writes every link of the record with its row, a JSON object a line. Whoever has this "
        "file and a checkpoint checks it with `python measures/chain_check.py`. It holds the "
        "trail, so it is as confidential as that."
    )

    def add_arguments(self, parser):
        parser.add_argument("file")

    def handle(self, *args, file, **options):
        seal()
        with open(file, "w", encoding="utf-8") as out:
            out.write(json.dumps({"young": young()}) + "\n")
            for link in linked():
                out.write(json.dumps(asdict(link), ensure_ascii=False) + "\n")
