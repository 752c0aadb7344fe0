"""The process that draws charts: Vega-Lite specs in, SVG or PNG out; asked by ``drawing``.

The converter carries a JavaScript engine of some 80 MB, which would stay in the memory of a server
process for good.
"""

import base64

import vl_convert


def answer(job: dict, body: bytes) -> list[str]:
    """The charts of ``job``: of each of its ``specs`` in its ``format``, see ``convert``."""
    return [convert(spec, job["format"]) for spec in job["specs"]]


def convert(spec: dict, file_format: str) -> str:
    """``spec`` as SVG text, or as a PNG in base64 at twice the size, sharp on paper."""
    if file_format == "svg":
        return vl_convert.vegalite_to_svg(spec)
    return base64.b64encode(vl_convert.vegalite_to_png(spec, scale=2)).decode()
