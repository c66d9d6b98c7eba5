/// `credits` and `source` of 2025-09, reduced to the text a page shows.
extension MetadataReader {
    func readCredits(_ metadata: inout PackageMetadata) {
        guard root.isMapping("credits"), let credits = root.mapping("credits") else {
            metadata.author = root.string("credits").map(personName) ?? ""
            return
        }
        metadata.author = persons(credits, "authors").joined(separator: ", ")
        for key in ["contributors", "testers", "packagers", "acknowledgements"] { _ = persons(credits, key) }
        if let translators = credits.mapping("translators") {
            for language in translators.keys {
                if !isLanguageCode(language) { translators.fault(language.forMessage, "is no language code") }
                _ = persons(translators, language)
            }
        }
        credits.finish()
    }

    func readSource(_ metadata: inout PackageMetadata) {
        guard root.node("source") != nil else { return }
        metadata.source = entries(root, "source").map { entry in
            let name: String
            switch entry {
            case .text(let text): name = text
            case .map(let map):
                name = map.string("name") ?? ""
                if name.isEmpty { map.fault("name", "is missing") }
                _ = map.string("url")
                map.finish()
            }
            return name
        }.joined(separator: ", ")
        if metadata.format == .draft2023 { _ = root.string("source_url") }
    }

    private typealias Entry = YAMLMapping.Element

    private func entries(_ parent: YAMLMapping, _ key: String) -> [Entry] {
        if parent.isMapping(key) { return parent.mapping(key).map { [.map($0)] } ?? [] }
        guard parent.isSequence(key) else { return parent.string(key).map { [.text($0)] } ?? [] }
        return parent.elements(key)
    }

    private func persons(_ parent: YAMLMapping, _ key: String) -> [String] {
        let all = entries(parent, key)
        if parent.isSequence(key), all.isEmpty { parent.fault(key, "is empty") }
        return all.map { entry in
            switch entry {
            case .text(let text): return personName(text)
            case .map(let map):
                let name = map.string("name") ?? ""
                if name.isEmpty { map.fault("name", "is missing") }
                for detail in ["email", "orcid", "kattis"] { _ = map.string(detail) }
                map.finish()
                return name
            }
        }
    }

    /// `Full Name <mail@host>` without the address.
    private func personName(_ text: String) -> String {
        var words = text.split(separator: " ")
        if let last = words.last, last.hasPrefix("<"), last.hasSuffix(">") { words.removeLast() }
        return words.joined(separator: " ")
    }
}
