// An invitation: accept it and go to its room.

import { ensureAccount } from '../account.js';
import { h } from '../dom.js';
import { roomHash } from '../router.js';

export async function joinView(main, { api, route, go, life }) {
  main.append(h('p', { class: 'muted' }, 'Joining…'));
  await ensureAccount(api);
  const answer = await api.post(`/invites/${encodeURIComponent(route.code)}/accept`, {});
  const room = answer?.id ?? route.room;
  if (!life.ended) go(roomHash(room));
}
