import CRDT
import Testing

@Suite struct XMLTests {
    @Test func elementsHaveTheBytesOfYjs() throws {
        let document = Document(clientID: 13)
        let fragment = try document.getXMLFragment("x")
        try document.transact { () throws(EditError) in
            guard case .xmlElement(let paragraph)? = try fragment.insert([.xmlElement("p")], at: 0).first
            else { return }
            try paragraph.setAttribute("k", "v")
            guard case .xmlText(let text)? = try paragraph.insert([.xmlText], at: 0).first else { return }
            try text.insert("hi", at: 0)
        }
        #expect(fragment.description == #"<p k="v">hi</p>"#)
        #expect(
            hex(document.encodeStateAsUpdate())
                == "01040d000701017803017028000d00016b0177017607000d000604000d0202686900")
    }

    @Test func walkingTheTree() throws {
        let fragment = try Document(clientID: 1).getXMLFragment("x")
        let inserted = try fragment.insert([.xmlElement("A"), .xmlElement("b")], at: 0)
        guard case .xmlElement(let a)? = inserted.first, case .xmlElement(let b)? = inserted.last else {
            return
        }
        try fragment.insert([.xmlHook("h")], after: a)
        let inner = try a.push([.xmlElement("B")]).first
        #expect(fragment.description == "<a><b></b></a>[object Object]<b></b>")
        #expect(a.nextSibling?.json == .object([]))
        #expect(b.nextSibling == nil && a.previousSibling == nil)
        #expect(fragment.querySelector("a") == a)
        #expect(fragment.querySelectorAll("b").count == 2)
        #expect(a.nodeName == "A" && inner?.type?.path == [.index(0), .index(0)])
        #expect(throws: EditError(.noSuchType)) { try a.insert([.xmlText], after: b) }
        try a.removeAttribute("none")
        #expect(a.attributes.isEmpty && a.attribute("none") == nil)
    }
}

@Suite struct SubdocumentTests {
    @Test func theHolderKnowsGuidAndOptions() throws {
        let document = Document(clientID: 12)
        let folder = try document.getMap("d")
        var events: [String] = []
        _ = document.observeSubdocuments { event in
            let lists = [event.added, event.loaded, event.removed].map { $0.map(\.guid) }
            events.append("\(lists)")
        }
        let child = Document(clientID: 5, guid: "child")
        child.meta = ["a": 1]
        try folder.set("x", .document(child))
        #expect(throws: EditError(.alreadyInserted)) { try folder.set("y", .document(child)) }
        let other = Document(clientID: 13)
        _ = try other.getMap("d")
        _ = other.observeSubdocuments { event in events.append("other \(event.added.map(\.shouldLoad))") }
        try other.applyUpdate(document.encodeStateAsUpdate())
        #expect(other.subdocuments.map(\.guid) == ["child"] && other.subdocuments[0].meta == ["a": 1])
        other.subdocuments[0].load()
        try folder.delete("x")
        #expect(document.subdocuments.isEmpty)
        #expect(
            events == [
                #"[["child"], ["child"], []]"#, "other [false]", "other []", #"[[], [], ["child"]]"#,
            ])
    }

    @Test func optionsHaveTheBytesOfYjs() throws {
        let document = Document(clientID: 12)
        let child = Document(clientID: 1, guid: "gv")
        child.autoLoad = true
        child.meta = ["a": 1]
        try document.getMap("m").set("d", .document(child))
        #expect(
            hex(document.encodeStateAsUpdate())
                == "01010c002901016d01640267767602086175746f4c6f616478046d657461760101617d0100")
    }
}
