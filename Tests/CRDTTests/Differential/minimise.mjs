// Delta debugging (Zeller and Hildebrandt 2002): the shortest list found in time that still fails.

/**
 * @param list the failing list
 * @param fails async predicate of a candidate
 * @param seconds when to stop
 */
export const shrinkList = async (list, fails, deadline) => {
  let current = list
  for (let size = Math.ceil(current.length / 2); size >= 1;) {
    let removed = false
    // From the end: what comes last depends on what comes first.
    for (let end = current.length; end > 0 && performance.now() < deadline; end -= size) {
      const candidate = [...current.slice(0, Math.max(0, end - size)), ...current.slice(end)]
      if (candidate.length < current.length && await fails(candidate)) { current = candidate; removed = true }
    }
    if (performance.now() >= deadline) break
    if (size === 1 && !removed) break
    size = size === 1 ? 1 : Math.ceil(size / 2)
  }
  return current
}

/** Shrinks the requests, then the edits inside them, then the requests once more. */
export const minimise = async (requests, fails, seconds) => {
  const deadline = performance.now() + seconds * 1000
  let current = await shrinkList(requests, fails, deadline)
  for (let index = current.length - 1; index >= 0; index--) {
    const { request } = current[index]
    for (const part of ['edits', 'then', 'merge']) {
      if (!Array.isArray(request[part]) || request[part].length < 2) continue
      const replaced = list => current.with(index, { ...current[index], request: { ...request, [part]: list } })
      current = replaced(await shrinkList(request[part], list => fails(replaced(list)), deadline))
    }
  }
  return shrinkList(current, fails, deadline)
}
