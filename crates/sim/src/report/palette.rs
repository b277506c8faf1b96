//! Colours and strokes: few, apart for the colour-blind, dark enough on white and light enough on
//! black to be read as text.

use std::fmt::Write;

/// The colours of series on a light ground and on a dark one: blue, vermilion, green, purple, ochre
/// and grey after Okabe and Ito, each with a contrast of 4.5 or more to its ground.
pub(super) const SERIES: [(&str, &str); 6] = [
    ("#0a66b0", "#64b1f4"),
    ("#b54700", "#f59155"),
    ("#006f55", "#3cc79c"),
    ("#8b3d88", "#dc9bd6"),
    ("#7a5c00", "#d9b548"),
    ("#555b61", "#b0b6bc"),
];

/// Series differ in their strokes too: colours are lost in print, and to some eyes.
pub(super) const DASHES: [&str; 6] = ["", "7 3", "2 2.5", "9 3 2 3", "4 3", "1 3"];

/// Of light and of dark: ground, text, lesser text, lines, fainter lines.
pub(super) const GROUND: (&str, &str) = ("#ffffff", "#15171a");
const TEXT: (&str, &str) = ("#1b1d1f", "#e6e8ea");
const LESSER: (&str, &str) = ("#5a6066", "#a3a9af");
const LINE: (&str, &str) = ("#8a9096", "#7c8288");
const FAINT: (&str, &str) = ("#e4e7ea", "#2b2f34");

/// The face that all text is set in.
pub(super) const FACE: &str =
    "\"Helvetica Neue\",Helvetica,Arial,\"Liberation Sans\",\"Nimbus Sans\",sans-serif";

/// The rules that colour a drawing, by class; dark where a reader asks for it on a screen.
pub(super) fn sheet() -> String {
    let mut sheet = format!(
        ".plot{{font-family:{FACE};font-size:12px;font-variant-numeric:tabular-nums}}\
         .plot text{{stroke:none}}.plot .curve{{fill:none;stroke-width:1.75;stroke-linejoin:round}}\
         .plot .band{{stroke:none;fill-opacity:.16}}.plot .bar{{stroke:none;fill-opacity:.8}}\
         .plot .strong{{font-size:14px;font-weight:600}}\
         .plot .over{{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}}\n"
    );
    colours(&mut sheet, |pair| pair.0);
    sheet.push_str("@media screen and (prefers-color-scheme:dark){");
    colours(&mut sheet, |pair| pair.1);
    sheet.push_str("}\n");
    sheet
}

fn colours(sheet: &mut String, side: impl Fn((&'static str, &'static str)) -> &'static str) {
    let [ground, text, lesser] = [GROUND, TEXT, LESSER].map(&side);
    let [line, faint] = [LINE, FAINT].map(&side);
    let mut rules = format!(
        ".plot .ground{{fill:{ground}}}.plot text{{fill:{text}}}.plot text.lesser{{fill:{lesser}}}\
         .plot .axis{{stroke:{line}}}.plot .grid{{stroke:{faint}}}\
         .plot .reference{{stroke:{text};stroke-dasharray:5 3}}.plot .leader{{stroke:{line}}}\
         .plot .edge{{fill:none;stroke:{faint}}}.plot text.over{{stroke:{ground}}}\
         .plot .dot{{stroke:{ground}}}\n"
    );
    for (number, pair) in SERIES.into_iter().enumerate() {
        let colour = side(pair);
        write!(
            rules,
            ".plot .s{number}{{stroke:{colour}}}.plot .f{number},.plot text.t{number}{{fill:{colour}}}"
        )
        .expect("a string takes all that is written to it");
    }
    sheet.push_str(&rules);
}

/// The rules of a page beside its drawings: the same colours under names.
pub(super) fn variables() -> String {
    let named = |side: fn((&'static str, &'static str)) -> &'static str| {
        let [ground, text, lesser] = [GROUND, TEXT, LESSER].map(side);
        let [line, faint, reached, missed] = [LINE, FAINT, SERIES[0], SERIES[1]].map(side);
        format!(
            ":root{{--ground:{ground};--text:{text};--lesser:{lesser};--line:{line};\
             --faint:{faint};--reached:{reached};--missed:{missed}}}"
        )
    };
    let (light, dark) = (named(|pair| pair.0), named(|pair| pair.1));
    format!("{light}\n@media screen and (prefers-color-scheme:dark){{{dark}}}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    #[test]
    fn all_that_is_read_stands_out_from_its_ground() {
        let contrast = |one: &str, other: &str| {
            let (one, other) = (luminance(one), luminance(other));
            (one.max(other) + 0.05) / (one.min(other) + 0.05)
        };
        for (light, dark) in SERIES.into_iter().chain([TEXT, LESSER]) {
            for (colour, ground) in [(light, GROUND.0), (dark, GROUND.1)] {
                let contrast = contrast(colour, ground);
                assert!(contrast >= 4.5, "{colour} on {ground}: {contrast:.2}");
            }
        }
    }
}
