// Where the page is: `/` the lobby, `#/rooms/ROOM` a room, `#/join/CODE[/ROOM]` an invitation, `/?watch=ROOM` a room to
// watch, `#/verify-email/CODE` and `#/reset-password[/CODE]` what mails link to, `#/signed-in`, `#/linked` and
// `#/sign-in-failed/CODE` where a provider's log-in ends. A room's own page decides by the caller's rights whether it is
// played, shared or watched.

const NAME = /^[A-Za-z0-9._~-]{1,128}$/;

/** The route of a location's `search` and `hash`. */
export function routeOf({ search = '', hash = '' }) {
  const parts = hash.replace(/^#\/?/, '').split('/').map(decode);
  if (parts[0] === 'rooms' && valid(parts[1])) return { name: 'room', room: parts[1] };
  if (parts[0] === 'join' && valid(parts[1])) {
    return { name: 'join', code: parts[1], room: valid(parts[2]) ? parts[2] : null };
  }
  if (parts[0] === 'verify-email' && valid(parts[1])) return { name: 'verify-email', code: parts[1] };
  if (parts[0] === 'reset-password') return { name: 'reset-password', code: valid(parts[1]) ? parts[1] : null };
  if (parts[0] === 'signed-in' || parts[0] === 'linked') return { name: parts[0] };
  if (parts[0] === 'sign-in-failed') return { name: 'sign-in-failed', code: valid(parts[1]) ? parts[1] : null };
  const watched = new URLSearchParams(search).get('watch');
  if (valid(watched) && !parts[0]) return { name: 'room', room: watched };
  return { name: 'home' };
}

/** The room a person pasted: an id, a watch link or a room link. Null when it is none. */
export function roomFromText(text) {
  const trimmed = text.trim();
  if (valid(trimmed)) return trimmed;
  try {
    const url = new URL(trimmed);
    const route = routeOf(url);
    return route.name === 'room' ? route.room : null;
  } catch {
    return null;
  }
}

/** The invitation a person pasted: a code or a join link. Null when it is none. */
export function inviteFromText(text) {
  const trimmed = text.trim();
  if (valid(trimmed)) return { code: trimmed, room: null };
  try {
    const route = routeOf(new URL(trimmed));
    return route.name === 'join' ? { code: route.code, room: route.room } : null;
  } catch {
    return null;
  }
}

export const roomHash = (room) => `#/rooms/${encodeURIComponent(room)}`;
export const joinHash = (code, room) => `#/join/${encodeURIComponent(code)}/${encodeURIComponent(room)}`;
export const watchSearch = (room) => `?watch=${encodeURIComponent(room)}`;

function valid(name) {
  return typeof name === 'string' && NAME.test(name);
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
