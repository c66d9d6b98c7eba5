// A room: asks what the caller may do in it and shows it as a battle or a pair room.

import { ensureAccount } from '../account.js';
import { h } from '../dom.js';
import { RoomLink } from '../sync/room-link.js';
import { battleView } from './battle.js';
import { pairView } from './pair.js';

export async function roomView(main, context) {
  const { api, route, life, session } = context;
  if (life.ended) return;
  main.append(h('p', { class: 'muted' }, 'Opening the room…'));
  await ensureAccount(api);
  const room = await api.get(`/rooms/${encodeURIComponent(route.room)}`);
  if (life.ended) return;
  const link = new RoomLink({ api, room: route.room });
  life.add(() => link.close());
  main.replaceChildren();
  if (room.kind === 'pair') return pairView(main, { ...context, room, link });
  const own = `player-${session.account.id}`;
  const plays = (room.documents ?? []).some((document) => document.name === own);
  return battleView(main, { ...context, room, link, plays });
}
