import Rooms

// Chat lines for which a document has no room go to the archive first.
extension RoomHost {
    func archive(_ lines: [ChatLine], of document: String) {
        let (archive, room, alarm) = (services.chatArchive, id, services.hooks.alarm)
        Task {
            var isStored = true
            do {
                try await archive.store(lines, document: document, room: room)
            } catch {
                isStored = false
                alarm("chat of room \(room) could not be archived: \(error)")
            }
            loop.execute { [isStored] in
                guard self.status == .live else { return }
                self.room.chatArchived(document: document, isStored: isStored)
                self.perform()
            }
        }
    }
}
