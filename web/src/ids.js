// Random identifiers. `crypto.randomUUID` exists only in secure contexts; a server in a classroom may be plain HTTP.

/** 128 random bits as 32 hexadecimal digits. */
export function randomID() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A small stable number for a string (FNV-1a): the same person has the same colour on every screen. */
export function bucket(text, count) {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % count;
}

/** Bytes as standard base64. */
export function base64(bytes) {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
