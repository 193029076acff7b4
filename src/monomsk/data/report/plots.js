"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const colours = { right: "#d1495b", left: "#2b6cb0", "": "#3f7d58" };
  const spare = ["#d1495b", "#2b6cb0", "#3f7d58", "#b7791f", "#6b46c1", "#4a5568"];
  const faint = (hex, alpha) => {
    const n = parseInt(hex.slice(1), 16);
    return `rgba(${n >> 16},${(n >> 8) & 255},${n & 255},${alpha})`;
  };

  function traces(chart) {
    const all = [];
    chart.curves.forEach((curve, i) => {
      const colour = colours[curve.name] || spare[i % spare.length];
      if (curve.low) {
        const edge = { x: data.time, mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false };
        all.push({ ...edge, y: curve.low }, { ...edge, y: curve.high, fill: "tonexty", fillcolor: faint(colour, 0.13) });
      }
      all.push({
        x: data.time, y: curve.y, name: curve.name || chart.title, mode: "lines", line: { color: colour, width: 1.8 },
        hovertemplate: `%{y:.3~g} ${chart.unit}<extra>${curve.name}</extra>`,
      });
    });
    return all;
  }

  /* Contact: a strip a foot along the bottom; the whole height in the charts of ground forces. */
  function contact(chart) {
    if (!chart.contact) return [];
    return Object.entries(data.contact).flatMap(([side, spans], row) => spans.map(([from, to]) => ({
      type: "rect", xref: "x", yref: "paper", x0: from, x1: to, line: { width: 0 }, layer: "below",
      y0: chart.contact === "full" ? 0 : 0.035 * row, y1: chart.contact === "full" ? 1 : 0.035 * row + 0.025,
      fillcolor: faint(colours[side], chart.contact === "full" ? 0.07 : 0.55),
    })));
  }

  function draw(place) {
    if (place.dataset.drawn) return;
    place.dataset.drawn = "yes";
    const chart = data.charts[Number(place.dataset.chart)];
    const many = chart.curves.some((curve) => !(curve.name in colours));
    const axis = { gridcolor: "#edf0f4", zerolinecolor: "#c3ccd6", zerolinewidth: 1, linecolor: "#c3ccd6", ticks: "", automargin: true };
    Plotly.newPlot(place, traces(chart), {
      margin: { l: 40, r: 8, t: 6, b: 30 }, font: { family: "system-ui, sans-serif", size: 11, color: "#5b6b7c" },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "x unified", hoverlabel: { font: { size: 11 } },
      xaxis: { ...axis, title: { text: "time [s]", standoff: 4 }, range: [data.time[0], data.time[data.time.length - 1]], zeroline: false },
      yaxis: { ...axis, range: chart.range || undefined, nticks: 6 },
      shapes: contact(chart), showlegend: many, legend: { orientation: "h", y: 1.16, font: { size: 10 } },
    }, { responsive: true, displaylogo: false, displayModeBar: false });
  }

  const places = [...document.querySelectorAll(".plot")];
  const visible = (place) => place.offsetParent !== null;
  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
    if (entry.isIntersecting) { seen.unobserve(entry.target); draw(entry.target); }
  }), { rootMargin: "900px" });
  places.forEach((place) => seen.observe(place));
  window.addEventListener("beforeprint", () => places.filter(visible).forEach(draw));
})();
