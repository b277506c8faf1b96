//! Reports of made-up numbers: pages and drawings that any reader can open.

mod gallery;

use roxmltree::{Document, Node, ParsingOptions};
use sim::report::{Axis, Bound, Cell, Mark, Plot, Point, Report, Section, Table};

/// Reads a page or a drawing as XML, which both are.
fn read(text: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).unwrap_or_else(|error| {
        let line = text.lines().nth(error.pos().row as usize - 1).unwrap_or_default();
        panic!("{error}: {line}")
    })
}

fn elements<'a>(document: &'a Document<'a>, name: &str) -> Vec<Node<'a, 'a>> {
    document.descendants().filter(|node| node.has_tag_name(name)).collect()
}

/// By local name: drawings that stand alone have the name space of SVG.
fn shapes<'a>(document: &'a Document<'a>, name: &str) -> Vec<Node<'a, 'a>> {
    document.descendants().filter(|node| node.tag_name().name() == name).collect()
}

fn text_of(node: Node<'_, '_>) -> String {
    node.descendants().filter_map(|node| node.text().filter(|_| node.is_text())).collect()
}

fn page_of(plot: Plot) -> String {
    Report::new("t").section(Section::new("s", "S", "Does it hold?").plot(plot)).html()
}

fn axes() -> (Axis, Axis) {
    (Axis::new("time", "h"), Axis::new("share", "%"))
}

/// All numbers of a drawing lie on it.
fn assert_drawn_inside(svg: &str) {
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    let document = read(svg);
    let root = document.root_element();
    let parsed = |text: &str| text.parse::<f64>().expect("a place in a drawing is a number");
    let size = |name| parsed(root.attribute(name).expect("a drawing has a size"));
    let largest = size("width").max(size("height"));
    for node in document.descendants().filter(Node::is_element) {
        for name in ["x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"] {
            let Some(value) = node.attribute(name) else { continue };
            let value = parsed(value);
            assert!((-1.0..=largest).contains(&value), "{name}={value} in {svg}");
        }
        let path = node.attribute("d").unwrap_or_default();
        for number in path.split(['M', 'L', 'Z', 'h', ' ']).filter(|piece| !piece.is_empty()) {
            let number = parsed(number);
            assert!((-1.0..=largest).contains(&number), "{path}");
        }
    }
}

#[test]
fn a_page_and_its_drawings_are_well_formed_and_need_nothing_from_outside() {
    let report = gallery::report();
    for (path, contents) in report.files() {
        // For people who want to look: the files lie below `target/tmp/report` afterwards.
        let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("report").join(&path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, &contents).unwrap();
        if path.ends_with(".json") {
            continue;
        }
        let document = read(&contents);
        let outside = ["src", "data", "srcset", "action", "{http://www.w3.org/1999/xlink}href"];
        for node in document.descendants().filter(Node::is_element) {
            assert!(outside.iter().all(|name| node.attribute(*name).is_none()), "{path}");
            let link = node.attribute("href").unwrap_or("#");
            assert!(link.starts_with('#'), "{path}: {link}");
            assert!(!matches!(node.tag_name().name(), "script" | "link" | "iframe" | "object"));
        }
        assert!(!contents.contains("url(") && !contents.contains("@import"), "{path}");
        if path.ends_with(".svg") {
            assert_drawn_inside(&contents);
        }
    }
}

#[test]
fn names_in_a_page_are_unique_and_every_link_and_label_leads_somewhere() {
    let html = gallery::report().html();
    let document = read(&html);
    let mut names: Vec<&str> =
        document.descendants().filter_map(|node| node.attribute("id")).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for node in document.descendants() {
        let labels = node.attribute("aria-labelledby").unwrap_or_default();
        let link = node.attribute("href").map(|link| &link[1..]);
        for name in labels.split_whitespace().chain(link) {
            assert!(names.binary_search(&name).is_ok(), "{name}");
        }
    }
    for drawing in elements(&document, "svg") {
        let inside = |name| drawing.children().find(|node| node.has_tag_name(name)).unwrap();
        assert_eq!(drawing.attribute("role"), Some("img"));
        assert!(text_of(inside("title")).len() > 5 && text_of(inside("desc")).len() > 30);
    }
    let figures = elements(&document, "figure");
    assert!(figures.len() >= 8);
    for figure in figures {
        assert!(figure.descendants().any(|node| node.has_tag_name("details")));
    }
}

#[test]
fn text_from_anywhere_stays_text() {
    let evil = "</title></style><script>alert(1)</script><!-- & \"' \u{0} ]]>";
    let points = [(evil, [(1.0, 2.0), (2.0, 3.0)])];
    let plot = Plot::lines(evil, evil, (Axis::new(evil, evil), Axis::new(evil, evil)), points)
        .reading(evil)
        .reference_x(1.5, evil);
    let bars = Plot::bars(evil, evil, Axis::new(evil, evil), [evil], [(evil, vec![1.0])]);
    let section = Section::new(evil, evil, evil)
        .command(evil)
        .definition(evil, evil)
        .mark(Mark::new(evil, Bound::AtMost(1.0), 2.0, evil).note(evil))
        .table(Table::new(evil, [evil]).row([evil.into()]))
        .plot(plot.clone())
        .plot(bars);
    let report = Report::new(evil).fact(evil, evil).section(section);
    let html = report.html();
    let document = read(&html);
    assert!(elements(&document, "script").is_empty());
    assert!(!html.contains("<script") && !html.contains("<!--"));
    assert_eq!(elements(&document, "style").len(), 1);
    let heading = elements(&document, "h1");
    assert_eq!(text_of(heading[0]), evil.replace('\u{0}', "\u{fffd}"));
    assert!(shapes(&read(&plot.svg()), "script").is_empty());
}

#[test]
fn missed_marks_stand_as_plainly_as_reached_ones() {
    let section = Section::new("s", "S", "?")
        .mark(Mark::new("one", Bound::AtLeast(99.0), 99.5, "%"))
        .mark(Mark::new("two", Bound::AtMost(1.5), 1.7, "times").note("a reason"))
        .mark(Mark::new("three", Bound::Exactly(0.0), f64::NAN, ""));
    let report = Report::new("t").section(section);
    assert_eq!((report.marks(), report.marks_missed()), (3, 2));
    let html = report.html();
    let document = read(&html);
    let rows: Vec<String> = elements(&document, "tr")
        .into_iter()
        .map(|row| {
            let cells = row.children().filter(Node::is_element).map(text_of);
            cells.map(|cell| cell.trim().to_owned()).collect::<Vec<_>>().join("|")
        })
        .collect();
    for row in [
        "one|≥\u{a0}99\u{a0}%|99.5\u{a0}%|✓\u{a0}reached",
        "two|≤\u{a0}1.5\u{a0}times|1.7\u{a0}times|✕\u{a0}missed",
        "three|0|not measured|✕\u{a0}missed",
    ] {
        // In the overview, and in its section.
        assert!(rows.iter().filter(|told| told.as_str() == row).count() >= 1, "{row}: {rows:?}");
    }
    assert!(html.contains("1 of 3 marks reached, 2 missed."));
    assert_eq!(html.matches("a reason").count(), 1);
}

#[test]
fn series_without_points_are_told_and_break_nothing() {
    let none = Vec::<(f64, f64)>::new();
    let plots = [
        Plot::lines("a", "A", axes(), [("x", none.clone())]),
        Plot::lines("b", "B", axes(), Vec::<(String, Vec<Point>)>::new()),
        Plot::lines("c", "C", axes(), [("x", none), ("y", vec![(1.0, f64::NAN)])]),
        Plot::cumulative("d", "D", Axis::new("t", "ms").logarithmic(), [("x", vec![])]),
        Plot::histogram("e", "E", axes(), [("x", vec![])]),
        Plot::histogram("f", "F", axes(), [("x", vec![f64::NAN]), ("y", vec![])]),
        Plot::bars("g", "G", Axis::new("t", ""), Vec::<String>::new(), [("x", vec![])]),
        Plot::bars("h", "H", Axis::new("t", ""), ["one"], [("x", vec![f64::INFINITY])]),
    ];
    for plot in plots {
        assert_drawn_inside(&plot.svg());
        let html = page_of(plot);
        assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
        read(&html);
    }
}

#[test]
fn any_range_can_be_drawn() {
    let ranges: [&[f64]; 8] = [
        &[0.0, 0.0],
        &[5.0],
        &[-1e308, 1e308],
        &[1e-308, 1e308],
        &[1e15, 1e15 + 1.0],
        &[f64::MIN_POSITIVE / 8.0, 1e-300],
        &[-3.0, -2.9],
        &[0.0, 1e-9, 1.0, 1e9],
    ];
    for values in ranges {
        for is_logarithmic in [false, true] {
            let axis = |name| match is_logarithmic {
                true => Axis::new(name, "ms").logarithmic(),
                false => Axis::new(name, "ms"),
            };
            let points =
                || values.iter().map(|value| Point::new(*value, *value).between(*value, *value));
            let first = values[0];
            let plots = [
                Plot::lines("a", "A", (axis("x"), axis("y")), [("s", points())]),
                Plot::cumulative("b", "B", axis("x"), [("s", values.to_vec())]),
                Plot::histogram("c", "C", (axis("x"), axis("y")), [("s", values.to_vec())]),
                Plot::bars("d", "D", axis("x"), ["a", "b", "c", "d"], [("s", values.to_vec())]),
            ];
            for plot in plots {
                let plot = plot.reference_x(first, "first").reference_y(first, "first");
                assert_drawn_inside(&plot.svg());
                read(&page_of(plot));
            }
        }
    }
}

#[test]
fn what_has_no_place_in_a_drawing_is_told_below_it() {
    let points = [(0.0, 1.0), (10.0, 2.0), (20.0, f64::NAN), (100.0, 3.0)];
    let x = Axis::new("nodes", "").logarithmic();
    let html = page_of(Plot::lines("a", "A", (x, Axis::new("hops", "")), [("s", points)]));
    let told = "Not drawn: 1 point without a number, 1 point at or below 0 on a logarithmic axis.";
    assert!(html.contains(told), "{html}");
}

#[test]
fn the_json_holds_every_number_and_comes_back_as_the_same_report() {
    let report = gallery::report();
    let json = report.json();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let section = &value["sections"][0];
    assert_eq!(section["marks"][0]["reached"], true);
    assert_eq!(section["marks"][0]["asked"]["at_most"], 1.6);
    assert_eq!(section["plots"][0]["form"], "cumulative");
    assert!(section["plots"][0]["series"][0]["points"][0]["x"].is_f64());
    let back = Report::from_json(&json).unwrap();
    // Not by `assert_eq`, which would print some hundred kilobytes.
    assert!(back == report && back.json() == json && back.html() == report.html());
}

#[test]
fn names_that_are_taken_get_a_number() {
    let plot = |name| Plot::lines(name, "T", axes(), [("s", [(1.0, 1.0)])]);
    let report = Report::new("t")
        .section(Section::new("Load / per node", "A", "?").plot(plot("hops")).plot(plot("hops")))
        .section(
            Section::new("load per node", "B", "?").plot(plot("Hops!")).plot(plot("../../etc")),
        );
    let paths: Vec<String> = report.files().into_iter().map(|(path, _)| path).collect();
    let drawings = ["plots/hops.svg", "plots/hops-2.svg", "plots/hops-3.svg", "plots/etc.svg"];
    assert_eq!(paths, [&["report.html", "report.json"], &drawings[..]].concat());
    let html = report.html();
    assert!(html.contains("id=\"load-per-node\"") && html.contains("id=\"load-per-node-2\""));
}

#[test]
fn long_series_make_small_drawings_and_short_tables() {
    let walk = (0..200_000).map(|at| {
        let value = f64::from(at % 977);
        Point::new(f64::from(at), value).between(value - 1.0, value + 1.0)
    });
    let samples = (1..200_000).map(f64::from);
    let line = Plot::lines("a", "A", axes(), [("s", walk)]);
    let curve = Plot::cumulative("b", "B", Axis::new("t", "ms").logarithmic(), [("s", samples)]);
    assert!(line.svg().len() < 120_000, "{}", line.svg().len());
    assert!(curve.svg().len() < 30_000, "{}", curve.svg().len());
    let html = page_of(line);
    assert!(elements(&read(&html), "tr").len() <= 102);
    assert!(html.contains("One row in 2000 of 200000; the report as JSON has all of them."));
}

#[test]
fn cells_that_a_row_lacks_stay_empty() {
    let table = Table::new("T", ["a", "b"]).row([Cell::from(1.5)]).row([
        "x".into(),
        2.0.into(),
        3.0.into(),
    ]);
    let html = Report::new("t").section(Section::new("s", "S", "?").table(table)).html();
    let document = read(&html);
    let rows = elements(&document, "tr")
        .into_iter()
        .map(|row| row.children().filter(Node::is_element).count());
    assert_eq!(rows.collect::<Vec<_>>(), [2, 2, 2]);
}
