"""Draws a recorded `make run JSON=1` as SVG: `python benchmarks/picture.py RESULT.json > RESULT.svg`.

Bars with their 95% intervals, base beside adapter.
"""

import json
import sys
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

FIGURES = (  # key, title, largest value shown, which way is better
    ("loss", "held-out loss, nats a token", None, "lower is better"),
    ("exact_match", "exact match", 1.0, "higher is better"),
    ("edit_similarity", "edit similarity", 1.0, "higher is better"),
)
COLOURS = {"base": "#8a8f98", "adapter": "#2f81f7"}
WIDTH, LEFT, BAR, ROW = 760, 110, 420, 26  # pixels
HEAD, GAP = 64, 44  # pixels above the first figure, and above each


def picture(result: dict[str, Any]) -> str:
    """The SVG document."""
    contenders: dict[str, dict[str, Any]] = result["contenders"]
    shown = [figure for figure in FIGURES if all(figure[0] in contenders[name] for name in COLOURS)]
    height = HEAD + len(shown) * (GAP + 2 * ROW) + 34
    model = result["model"]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'font-family="system-ui, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff" stroke="#d0d7de"/>',
        _text(20, 28, f"{result['repository']} at {result['commit'][:10]}: base and adapter on held-out code", 16),
        _text(20, 48, f"{model['name']} ({model['variant']}, {model['precision']})", 12, "#57606a"),
    ]
    y = HEAD
    for key, title, top, better in shown:
        y += GAP - 12
        lines.append(_text(20, y, f"{title} ({better})"))
        most = top or max(contenders[name][f"{key}_interval"][1] for name in COLOURS)
        for name, colour in COLOURS.items():
            lines += _bar(y + 12, name, contenders[name], key, most, colour)
            y += ROW
        y += 12
    lines.append(_text(20, height - 14, "thin lines: 95% intervals, bootstrap clustered by file", 11, "#57606a"))
    return "\n".join([*lines, "</svg>"]) + "\n"


def _bar(y: int, name: str, figures: dict[str, Any], key: str, most: float, colour: str) -> list[str]:
    value, (low, high) = figures[key], figures[f"{key}_interval"]
    scale = BAR / most
    n = figures["loss_n"] if key == "loss" else figures["n"]
    return [
        _text(LEFT - 10, y + 13, name, anchor="end"),
        f'<rect x="{LEFT}" y="{y}" width="{value * scale:.1f}" height="18" rx="3" fill="{colour}"/>',
        f'<path d="M{LEFT + low * scale:.1f} {y + 9}H{LEFT + high * scale:.1f}" stroke="#24292f" stroke-width="1.5"/>',
        _text(LEFT + BAR + 16, y + 13, f"{value:.3f}  [{low:.3f}, {high:.3f}]  n {n}"),
    ]


def _text(x: int, y: int, text: str, size: int = 13, colour: str = "#24292f", anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" text-anchor="{anchor}">{escape(text)}</text>'


if __name__ == "__main__":
    sys.stdout.write(picture(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
