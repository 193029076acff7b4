"""The report: one page of HTML with everything inside, so that it opens anywhere and without a network."""

import json
from collections.abc import Sequence
from datetime import date
from html import escape
from importlib import resources
from typing import Any

import numpy as np
from jaxtyping import Float

from monomsk import __version__
from monomsk.report import charts, texts
from monomsk.report.charts import Chart
from monomsk.report.overlay import overlays, people
from monomsk.report.summary import SIDES, energy, quality
from monomsk.report.words import FIGURES
from monomsk.types import Energetics, Trial

BY_COORDINATE = "_reserve_percent_moment"
"""Ending of figures that a stage gives for each coordinate: summary.json has them, the report shows their curves."""
FULL, STRIP = "full", "strip"
"""How a chart shows when the feet are on the ground: shaded from top to bottom, or as strips along its foot."""


class _Charts:
    """Charts in the order of the page; what the script draws from."""

    def __init__(self) -> None:
        self.data: list[dict[str, Any]] = []

    def cards(self, chosen: Sequence[Chart], contact: str | None = None, bounds: tuple[float, float] | None = None) -> str:
        """The charts as a grid of cards."""
        cards = []
        for chart in chosen:
            cards.append(
                f'<div class="card"><div class="head"><h3>{escape(chart.title)}</h3>'
                f'<span class="note">{escape(" · ".join(filter(None, (chart.note, chart.unit))))}</span></div>'
                f'<div class="plot" data-chart="{len(self.data)}"></div></div>'
            )
            curves = [_curve(curve) for curve in chart.curves]
            self.data.append({"title": chart.title, "unit": chart.unit, "contact": contact, "range": bounds, "curves": curves})
        return f'<div class="grid">{"".join(cards)}</div>' if cards else ""

    def section(
        self, all_charts: Sequence[Chart], more: str, contact: str | None = STRIP, bounds: tuple[float, float] | None = None
    ) -> str:
        """The main charts, and the others behind a click that says `more`."""
        shown = self.cards([chart for chart in all_charts if chart.main], STRIP, bounds)
        others = [chart for chart in all_charts if not chart.main]
        if not others:
            return shown
        return f"{shown}<details><summary>{escape(more)} ({len(others)})</summary>{self.cards(others, STRIP, bounds)}</details>"


def page(trial: Trial, files: Sequence[str] = ()) -> str:
    """The whole report of a trial; sections of stages that were not done are left out. `files` are the results beside it."""
    drawn = _Charts()
    sections = [
        ("quality", "Quality", _quality(trial)),
        ("pictures", "Video", _pictures(trial)),
        ("angles", "Joint angles", _angles(trial, drawn)),
        ("forces", "Ground reaction forces", _forces(trial, drawn)),
        ("moments", "Joint moments", _moments(trial, drawn)),
        ("muscles", "Muscles", _muscles(trial, drawn)),
        ("reading", "How to read this", _reading(trial, files)),
    ]
    there = [section for section in sections if section[2]]
    links = "".join(f'<a href="#{key}">{title}</a>' for key, title, _ in there)
    body = "".join(f'<section id="{key}"><h2>{title}</h2>{html}</section>' for key, title, html in there)
    name = trial.clip.path.name if trial.clip else "recorded keypoints"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="generator" content="monomsk {__version__}"><title>{escape(name)} · monomsk</title>'
        f"<style>{_asset('style.css')}</style></head><body>"
        f"<header><div><h1>{escape(name)}<small>movement report</small></h1>{_chips(trial)}<nav>{links}</nav></div></header>"
        f"<main>{body}</main><footer>monomsk {__version__} · {date.today().isoformat()} · {_timing(trial)}</footer>"
        f'<script type="application/json" id="data">{_data(trial, drawn)}</script>'
        f"<script>{_plotly() if drawn.data else ''}</script><script>{_asset('plots.js')}</script></body></html>\n"
    )


def _chips(trial: Trial) -> str:
    subject = trial.subject
    facts = [("height", f"{subject.height:.2f} m"), ("mass", f"{subject.mass:.1f} kg")]
    if subject.sex:
        facts.append(("sex", subject.sex))
    if trial.clip is not None:
        seconds = float(trial.clip.time[-1] - trial.clip.time[0])
        facts += [("clip", f"{seconds:.1f} s at {trial.clip.rate:.0f} Hz"), ("picture", "×".join(map(str, trial.clip.size)))]
    if trial.camera is not None:
        facts.append(("focal length", f"{trial.camera.focal[0]:.0f} px ({trial.camera.focal_source})"))
    return '<ul class="chips">' + "".join(f"<li>{key} <b>{escape(value)}</b></li>" for key, value in facts) + "</ul>"


def _quality(trial: Trial) -> str:
    if trial.warnings:
        told = '<ul class="warnings">' + "".join(f"<li>{escape(text)}</li>" for text in trial.warnings) + "</ul>"
    else:
        told = '<p class="fine">No warnings.</p>'
    tables = []
    for stage, figures in quality(trial).items():
        shown = {key: value for key, value in figures.items() if key in FIGURES or not key.endswith(BY_COORDINATE)}
        named = {FIGURES.get(key, key.replace("_", " ")): _short(value) for key, value in shown.items()}
        rows = "".join(f'<tr><td>{escape(name)}</td><td class="number">{text}</td></tr>' for name, text in named.items())
        tables.append(f'<div class="card"><h3>{stage.capitalize()}</h3><table>{rows}</table></div>')
    return told + f'<div class="figures">{"".join(tables)}</div>'


def _short(value: float | None) -> str:
    """Three digits, or all before the point."""
    if value is None:
        return "–"
    return f"{value:.3g}" if abs(value) < 1000.0 else f"{value:.0f}"


def _pictures(trial: Trial) -> str:
    figures = overlays(trial)
    if not figures:
        return ""
    text = texts.PICTURES_BODY if trial.motion is not None else texts.PICTURES_KEYPOINTS
    return f'<p class="soft">{text}</p><div class="pictures">{"".join(figures)}</div>{people(trial)}'


def _key(trial: Trial, contact: str = STRIP) -> str:
    strips = "strips below the curves: that foot is on the ground" if trial.kinetics is not None and contact == STRIP else ""
    return (
        '<p class="key"><span><i style="background:var(--right)"></i>right</span><span><i style="background:var(--left)"></i>left</span>'
        f"<span>{strips}</span></p>"
    )


def _angles(trial: Trial, drawn: _Charts) -> str:
    if trial.motion is None:
        return ""
    return _key(trial) + drawn.section(charts.angle_charts(trial.motion), "Other angles")


def _forces(trial: Trial, drawn: _Charts) -> str:
    if trial.kinetics is None:
        return ""
    shown = drawn.cards(charts.ground_force_charts(trial.kinetics, trial.subject.mass), FULL)
    residuals = drawn.cards(charts.residual_charts(trial.kinetics, trial.subject.mass), STRIP)
    hidden = f"<details><summary>Residuals at the pelvis</summary><p>{texts.RESIDUALS}</p>{residuals}</details>" if residuals else ""
    measured, told = trial.kinetics.measured, texts.FORCES
    if measured is not None:
        told = texts.FORCES_MEASURED.format(**{side: 100.0 * measured[:, i].mean() for i, side in enumerate(SIDES)})
    return f"<p>{told}</p>{_key(trial, FULL)}{shown}{hidden}"


def _moments(trial: Trial, drawn: _Charts) -> str:
    if trial.kinetics is None:
        return ""
    shown = drawn.section(charts.moment_charts(trial.kinetics, trial.subject.mass), "Other moments")
    return f"<p>{texts.MOMENTS}</p>{_key(trial)}{shown}"


def _muscles(trial: Trial, drawn: _Charts) -> str:
    if trial.muscles is None:
        return ""
    shown = drawn.section(charts.muscle_charts(trial.muscles), "Other muscles", bounds=(0.0, 1.0))
    loads = "" if trial.loads is None else drawn.cards(charts.load_charts(trial.loads, trial.subject.mass), STRIP)
    pressed = f"<h3>Joint loads</h3><p>{texts.LOADS}</p>{loads}" if loads else ""
    power = "" if trial.energetics is None else drawn.cards(charts.power_charts(trial.energetics), STRIP)
    powers = f"<h3>Power</h3><p>{_power_text(trial.energetics)}</p>{power}" if power and trial.energetics is not None else ""
    reserves = drawn.cards(charts.reserve_charts(trial.muscles, trial.subject.mass), STRIP)
    hidden = f"<details><summary>Reserves</summary><p>{texts.RESERVES}</p>{reserves}</details>" if reserves else ""
    return f"<p>{texts.MUSCLES}</p>{_key(trial)}{shown}{pressed}{powers}{hidden}"


def _power_text(energetics: Energetics) -> str:
    figures = energy(energetics).get("metabolic_power_w_per_kg")
    cost = energetics.metabolic
    if figures is None or cost is None:
        return texts.POWER
    mean = texts.METABOLIC.format(**{key: _short(figures[key]) for key in ("whole_body", "basal", "muscles_of_the_model")})
    half = f" {texts.SLOW_TWITCH} {escape(', '.join(cost.guessed))}." if cost.guessed else ""
    return f"{texts.POWER} {mean}{half}"


def _reading(trial: Trial, files: Sequence[str]) -> str:
    told = "".join(f"<p><b>{title}.</b> {text}</p>" for title, text in texts.READING)
    rows = "".join(f'<tr><td><a href="{name}">{name}</a></td><td>{texts.FILES[name]}</td></tr>' for name in files if name in texts.FILES)
    return told + (f'<div class="card"><h3>Files</h3><table>{rows}</table></div>' if rows else "")


def _timing(trial: Trial) -> str:
    return " · ".join(f"{stage} {seconds:.1f} s" for stage, seconds in trial.seconds.items())


def _curve(curve: charts.Curve) -> dict[str, Any]:
    data: dict[str, Any] = {"name": curve.name, "y": _numbers(curve.values)}
    if curve.sigma is not None:
        data |= {"low": _numbers(curve.values - curve.sigma), "high": _numbers(curve.values + curve.sigma)}
    return data


def _numbers(values: Float[np.ndarray, " time"]) -> list[float | None]:
    """Four digits are more than a screen shows; JSON knows no infinity and no NaN."""
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values.tolist()]


def _data(trial: Trial, drawn: _Charts) -> str:
    source = trial.motion or trial.keypoints
    time = [] if source is None else _numbers(source.time)
    contact = {side: charts.contact_intervals(trial).get(side, []) for side in SIDES}
    text = json.dumps({"time": time, "contact": contact, "charts": drawn.data}, separators=(",", ":"))
    return text.replace("</", "<\\/")


def _asset(name: str) -> str:
    return resources.files("monomsk").joinpath(f"data/report/{name}").read_text(encoding="utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return get_plotlyjs()
