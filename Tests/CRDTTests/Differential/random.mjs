// Seeded choices.

/** mulberry32: gives a function that gives an integer below its argument. */
export const generator = seed => {
  let s = seed >>> 0
  return n => {
    s = (s + 0x6D2B79F5) >>> 0
    let t = Math.imul(s ^ s >>> 15, 1 | s)
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t
    return ((t ^ t >>> 14) >>> 0) % n
  }
}

export const pick = (R, list) => list[R(list.length)]

/** One of the keys of an object of weights. */
export const weighted = (R, weights) => {
  const entries = Object.entries(weights).filter(([, weight]) => weight > 0)
  let at = R(entries.reduce((sum, [, weight]) => sum + weight, 0))
  for (const [name, weight] of entries) { if (at < weight) return name; at -= weight }
}

export const times = (n, make) => Array.from({ length: n }, (_, index) => make(index))
