//! The curves: times by how much there is, on logarithmic axes.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::runs::Group;
use super::{LIMIT, OURS};

/// Which groups are drawn, and what their axes are.
const PANELS: [(&str, &str, &str); 4] = [
    ("cancel callbacks", "cancel: ns per callback", "callbacks"),
    ("cancel waits", "cancel: ns per future that waits", "futures"),
    ("chain: cancel", "cancel a chain: ns per level", "levels"),
    ("child", "child, made and dropped: ns", "siblings"),
];

/// A subject has the same colour in every panel; the token's curve is drawn last, over the others.
const CURVES: [(&str, RGBColor, u32); 6] = [
    (LIMIT, RGBColor(0x99, 0x99, 0x99), 2),
    ("tokio-util", RGBColor(0xe6, 0x8a, 0x00), 2),
    ("cancellation-token", RGBColor(0x75, 0x70, 0xb3), 2),
    ("event-listener", RGBColor(0x66, 0xa6, 0xe0), 2),
    ("std::stop_token", RGBColor(0x1b, 0x9e, 0x77), 2),
    (OURS, RGBColor(0xc0, 0x10, 0x30), 4),
];

const SIZE: (u32, u32) = (1_400, 400);

/// The strip above the panels that says which curve is whose.
const LEGEND: i32 = 28;

pub(super) fn svg(groups: &[Group]) -> Result<String, String> {
    let mut text = String::new();
    draw(&mut text, groups).map_err(|e| format!("the plot cannot be drawn: {e}"))?;
    Ok(text)
}

fn draw(text: &mut String, groups: &[Group]) -> Result<(), Box<dyn std::error::Error>> {
    let whole = SVGBackend::with_string(text, SIZE).into_drawing_area();
    whole.fill(&WHITE)?;
    let (strip, panels) = whole.split_vertically(LEGEND);
    for (place, (subject, colour, stroke)) in (0..).map(|number: i32| 60 + 200 * number).zip(CURVES) {
        let (line, label) = ([(place, LEGEND / 2), (place + 24, LEGEND / 2)], (place + 30, LEGEND / 2 - 8));
        strip.draw(&PathElement::new(line, colour.stroke_width(stroke)))?;
        strip.draw(&Text::new(subject, label, ("sans-serif", 15)))?;
    }
    for (area, (name, title, axis)) in panels.split_evenly((1, PANELS.len())).iter().zip(PANELS) {
        if let Some(group) = groups.iter().find(|group| group.name == name) {
            panel(area, group, title, axis)?;
        }
    }
    whole.present()?;
    Ok(())
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn panel(area: &Area<'_>, group: &Group, title: &str, axis: &str) -> Result<(), Box<dyn std::error::Error>> {
    let curves = CURVES.map(|(subject, colour, stroke)| (curve(group, subject), colour.stroke_width(stroke)));
    let points = curves.iter().flat_map(|(points, _)| points);
    let start = (1.0_f64, f64::MAX, 0.0_f64);
    let (width, low, high) = points.fold(start, |(width, low, high), &(x, y)| (width.max(x), low.min(y), high.max(y)));
    if high <= 0.0 {
        return Err(format!("nothing of `{}` was measured", group.name).into());
    }
    // Whole decades, so that the axis has labels.
    let heights = 10_f64.powf(low.log10().floor())..10_f64.powf(high.log10().ceil());
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 16))
        .margin(10)
        .margin_right(24)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d((1.0..width).log_scale(), heights.log_scale())?;
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT).x_desc(axis).label_style(("sans-serif", 13));
    mesh.x_label_formatter(&|x| shortened(*x)).y_label_formatter(&|y| shortened(*y)).draw()?;
    for (points, style) in curves {
        chart.draw_series(LineSeries::new(points, style))?;
    }
    Ok(())
}

/// A power of ten as people write it.
fn shortened(value: f64) -> String {
    match value {
        millions if millions >= 1e6 => format!("{}M", millions / 1e6),
        thousands if thousands >= 1e3 => format!("{}k", thousands / 1e3),
        few => format!("{few}"),
    }
}

/// A subject's times by how much there is: at least 1, or there is no logarithm.
#[expect(clippy::cast_precision_loss, reason = "counts up to a million")]
fn curve(group: &Group, subject: &str) -> Vec<(f64, f64)> {
    let own = group.rows.iter().filter(|row| row.0 == subject);
    let counts = own.map(|row| row.1).filter(|&n| n > 0 || group.time(subject, 1).is_none());
    counts.filter_map(|n| Some((n.max(1) as f64, group.time(subject, n)?))).collect()
}
