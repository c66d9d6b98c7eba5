/// The HTTP interface's description as a page for people: static HTML without a script, readable by keyboard and
/// screen reader, from nothing but the server itself.
public struct APIReference: Sendable {
    /// The whole page; it asks for `style` at `stylePath`.
    public let page: String

    public static let stylePath = "/api/docs.css"

    /// Nil for a text that is no OpenAPI description. Linear in its size.
    public init?(openAPI yaml: String) {
        guard let document = OpenAPIDocument(yaml: yaml) else { return nil }
        page = ReferencePage(document).html()
    }

    /// The page's style sheet.
    public static let style = """
        :root { color-scheme: light dark; --line: #8884; --soft: #8881; --link: light-dark(#0b57d0, #8ab4f8); }
        * { box-sizing: border-box; }
        body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
        a { color: var(--link); }
        :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
        code, pre { font: 0.9em/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
        pre { background: var(--soft); padding: 0.6rem; overflow: auto; }
        .skip { position: absolute; left: -999rem; }
        .skip:focus { left: 0.5rem; top: 0.5rem; padding: 0.5rem; background: Canvas; z-index: 1; }
        header, main, nav { padding: 1rem 1.5rem; }
        nav ul { list-style: none; padding: 0; margin: 0 0 1rem; }
        nav li { margin: 0.15rem 0; }
        nav h2 { font-size: 1rem; margin: 0.5rem 0 0.25rem; }
        article, section.schema { border-top: 1px solid var(--line); padding: 1rem 0; }
        h3 { margin: 0 0 0.25rem; font-size: 1.05rem; }
        h4 { margin: 0.9rem 0 0.3rem; font-size: 0.95rem; }
        .method { display: inline-block; min-width: 4.2rem; font-weight: 700; }
        table { border-collapse: collapse; width: 100%; }
        caption { text-align: left; font-weight: 600; padding: 0.3rem 0; }
        th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem 0.3rem 0;
            border-bottom: 1px solid var(--line); }
        th { font-weight: 500; }
        th code { overflow-wrap: normal; }
        @media (max-width: 40rem) { table { display: block; overflow-x: auto; } }
        summary { cursor: pointer; padding: 0.2rem 0; }
        .note { opacity: 0.75; }
        @media (min-width: 60rem) {
            body { display: grid; grid-template: auto 1fr / 24rem minmax(0, 60rem); }
            header { grid-column: 1 / -1; border-bottom: 1px solid var(--line); }
            nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow: auto;
                border-right: 1px solid var(--line); }
        }
        @media print { nav { display: none; } }

        """
}
