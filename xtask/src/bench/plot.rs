//! The curves: times by how much there is, on logarithmic axes.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::runs::Group;
use super::{LIMIT, OURS};

/// Which groups are drawn, and what their axes are.
const PANELS: [(&str, &str, &str); 3] = [
    ("cancel callbacks", "cancel: ns per callback", "callbacks"),
    ("chain: cancel", "cancel a chain: ns per level", "levels"),
    ("child", "child, made and dropped: ns", "siblings"),
];

const SIZE: (u32, u32) = (1_260, 400);

/// A peer has the same colour in every panel.
const PEERS: [(&str, RGBColor); 3] = [
    ("tokio-util", RGBColor(0xd9, 0x5f, 0x02)),
    ("cancellation-token", RGBColor(0x75, 0x70, 0xb3)),
    ("std::stop_token", RGBColor(0x1b, 0x9e, 0x77)),
];

pub(super) fn svg(groups: &[Group]) -> Result<String, String> {
    let mut text = String::new();
    draw(&mut text, groups).map_err(|e| format!("the plot cannot be drawn: {e}"))?;
    Ok(text)
}

fn draw(text: &mut String, groups: &[Group]) -> Result<(), Box<dyn std::error::Error>> {
    let whole = SVGBackend::with_string(text, SIZE).into_drawing_area();
    whole.fill(&WHITE)?;
    for (area, (name, title, axis)) in whole.split_evenly((1, PANELS.len())).iter().zip(PANELS) {
        if let Some(group) = groups.iter().find(|group| group.name == name) {
            panel(area, group, title, axis)?;
        }
    }
    whole.present()?;
    Ok(())
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn panel(area: &Area<'_>, group: &Group, title: &str, axis: &str) -> Result<(), Box<dyn std::error::Error>> {
    let curves =
        [(LIMIT, RGBColor(0x99, 0x99, 0x99), 1)].into_iter().chain(PEERS.map(|(peer, colour)| (peer, colour, 1)));
    let curves: Vec<_> = curves.chain([(OURS, RGBColor(0xc0, 0x10, 0x30), 3)]).collect();
    let points: Vec<_> = curves.iter().map(|(subject, ..)| curve(group, subject)).collect();
    let (width, low, high) = points
        .iter()
        .flatten()
        .fold((1.0_f64, f64::MAX, 0.0_f64), |(width, low, high), &(x, y)| (width.max(x), low.min(y), high.max(y)));
    if high <= 0.0 {
        return Err(format!("nothing of `{}` was measured", group.name).into());
    }
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 16))
        .margin(8)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d((1.0..width).log_scale(), (low / 1.5..high * 2.0).log_scale())?;
    chart.configure_mesh().light_line_style(TRANSPARENT).x_desc(axis).draw()?;
    for ((subject, colour, stroke), points) in curves.into_iter().zip(points) {
        if points.is_empty() {
            continue;
        }
        let style = colour.stroke_width(stroke);
        let line = chart.draw_series(LineSeries::new(points, style))?;
        line.label(subject).legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
    }
    let mut labels = chart.configure_series_labels();
    labels.position(SeriesLabelPosition::UpperLeft).background_style(WHITE.mix(0.8)).draw()?;
    Ok(())
}

/// A subject's times by how much there is: at least 1, or there is no logarithm.
#[expect(clippy::cast_precision_loss, reason = "counts up to a million")]
fn curve(group: &Group, subject: &str) -> Vec<(f64, f64)> {
    let own = group.rows.iter().filter(|row| row.0 == subject);
    let counts = own.map(|row| row.1).filter(|&n| n > 0 || group.time(subject, 1).is_none());
    counts.filter_map(|n| Some((n.max(1) as f64, group.time(subject, n)?))).collect()
}
