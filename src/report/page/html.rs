//! Turns the sections into HTML. maud escapes all text; only the SVG of the figures, whose writer escapes too, is
//! inserted unchanged.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::headline::Headline;
use super::section::{Block, Section};
use crate::Result;
use crate::report::figure::{Figure, stylesheet};
use crate::report::results::TextTable;
use crate::report::text::printable;

const STYLE: &str = include_str!("style.css");

/// The colours of the page for readers who prefer a dark one.
const DARK: &str = ":root { --page: #14171a; --ink: #e4e6e8; --quiet: #a3abb3; --line: #343a40; --panel: #1e2226 }";

pub(super) fn page(sections: &[Section]) -> Result<String> {
    let dark = format!(
        "@media (prefers-color-scheme: dark) {{\n{DARK}\n{}}}\n",
        stylesheet(".figure")
    );
    let mut body = Vec::new();
    for (index, section) in sections.iter().enumerate() {
        body.push(section_markup(index, section)?);
    }
    let is_headline = |block: &Block| matches!(block, Block::Headline(_));
    let headlines = sections
        .first()
        .is_some_and(|section| section.blocks.iter().any(is_headline));
    let first = usize::from(headlines);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "rootlet report" }
                style { (PreEscaped(STYLE)) (PreEscaped(dark)) }
            }
            body {
                h1 { "rootlet report" }
                // The best result comes before all else, so that a phone's first screen shows it.
                @for section in &body[..first] { (section) }
                nav {
                    @for (index, section) in sections.iter().enumerate().skip(first) {
                        @if index > first { " · " }
                        a href={ "#section-" (index) } { (section.heading) }
                    }
                }
                @for section in &body[first..] { (section) }
            }
        }
    };
    // The page contains names from files, and browsers would obey some of their characters.
    Ok(printable(&page.into_string()).into_owned())
}

fn section_markup(index: usize, section: &Section) -> Result<Markup> {
    let mut blocks = Vec::new();
    let mut figures = Vec::new();
    // Sentences about missing figures go below the figures, so that the figures fill their rows.
    let mut missing = Vec::new();
    for block in &section.blocks {
        match block {
            Block::Figure(figure) => figures.push(figure_markup(figure)?),
            Block::Text(text) => blocks.push(html! { p { (text) } }),
            Block::Missing(text) => missing.push(html! { p.missing { (text) } }),
            Block::Table(table) => blocks.push(table_markup(table)),
            Block::Folded(summary, table) => blocks.push(html! {
                details.folded { summary { (summary) } (table_markup(table)) }
            }),
            Block::Headline(headline) => blocks.push(headline_markup(headline)),
            Block::Origin(name, facts, commands) => {
                blocks.push(origin_markup(name, facts, commands));
            }
        }
    }
    Ok(html! {
        section id={ "section-" (index) } {
            h2 { (section.heading) }
            @for block in blocks { (block) }
            @if !figures.is_empty() {
                div.figures { @for figure in figures { (figure) } }
            }
            @for text in missing { (text) }
        }
    })
}

fn figure_markup(figure: &Figure) -> Result<Markup> {
    let svg = figure.svg()?;
    Ok(html! {
        figure.figure data-figure=(figure.id) role="img" aria-label=(figure.title) {
            (PreEscaped(svg))
            @if !figure.note.is_empty() { figcaption { (figure.note) } }
        }
    })
}

fn headline_markup(headline: &Headline) -> Markup {
    html! {
        div.best {
            p.result { (headline.result) }
            p { (headline.what) }
            @if !headline.shares.is_empty() {
                ul.shares {
                    @for (share, of) in &headline.shares { li { strong { (share) } " " (of) } }
                }
            }
        }
    }
}

fn table_markup(table: &TextTable) -> Markup {
    let class = |column: usize| {
        if column < table.words {
            "word"
        } else {
            "number"
        }
    };
    html! {
        div.scroll tabindex="0" {
            table {
                thead {
                    tr {
                        @for (column, cell) in table.header.iter().enumerate() {
                            th class=(class(column)) scope="col" { (cell) }
                        }
                    }
                }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (column, cell) in row.iter().enumerate() {
                                td class=(class(column)) { (cell) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn origin_markup(name: &str, facts: &[(String, String)], commands: &[String]) -> Markup {
    html! {
        details {
            summary { (name) }
            dl {
                @for (key, value) in facts { dt { (key) } dd { (value) } }
            }
            @for command in commands { pre { (command) } }
        }
    }
}
