"""Briefing packs as pages to read and to print, and as files."""

import re
import zipfile
from datetime import date
from io import BytesIO

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from measures.models import Section
from measures.spreadsheets import TYPES, names_of_file
from measures.text import in_chinese

from ..taken_away import chinese_name
from . import docx, tables
from .pack import Pack, TooLarge, gather

#: What a zip archive says of the age of its files, where it must not say when it was made.
NO_TIME = (1980, 1, 1, 0, 0, 0)
#: How the name of a pack ends.
DAY = "2023-07-25"


def page(request):
    """The pack as a page to read and to print."""
    query = request.GET.urlencode()
    try:
        pack = gather(request)
    except TooLarge as refused:
        if query:
            raise
        return _choice(request, str(refused))
    files = [
        (label, reverse("pack-file", args=[file_format]) + (f"?{query}" if query else ""))
        for file_format, label in (("docx", "Word"), ("xlsx", "Excel"), ("csv", "CSV"))
    ]
    return render(request, "public/pack.html", {"pack": pack, "files": files})


def _choice(request, reason: str):
    """The packs that can be had where one of everything would be too large to print."""
    sections = Section.objects.published(request.as_of).select_related("opinion")
    context = {"reason": reason, "sections": sections}
    return render(request, "public/packs.html", context)


def file(request, file_format: str):
    """The pack as docx, xlsx or csv; the same state gives the same bytes."""
    writers = {"docx": _docx, "xlsx": _xlsx, "csv": tables.csv_text}
    if file_format not in writers:
        raise Http404
    pack = gather(request)
    types = TYPES | {"docx": docx.CONTENT_TYPE}
    return HttpResponse(
        writers[file_format](pack),
        content_type=types[file_format],
        headers={
            "Content-Disposition": names_of_file(
                f"{pack.name}.{file_format}",
                chinese_name(pack.title, pack.name[-len(DAY) :], ending=file_format),
            )
        },
    )


def _docx(pack: Pack) -> bytes:
    return reproducible(docx.write(pack, in_chinese()), pack.day)


def _xlsx(pack: Pack) -> bytes:
    return reproducible(tables.xlsx(pack), pack.day)


def reproducible(content: bytes, day: date) -> bytes:
    """The Office file ``content`` without the moment at which it was made."""
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "docProps/core.xml":
                # openpyxl writes the present time, whatever the properties say.
                stamp = rf"\g<1>{day.isoformat()}T00:00:00Z".encode()
                part = re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", stamp, part)
            new.writestr(zipfile.ZipInfo(name, NO_TIME), part, zipfile.ZIP_DEFLATED)
    return made.getvalue()
