// Node's `ws` against an echo endpoint with permessage-deflate: node ws_deflate.cjs URL SEED COUNT
// Prints one JSON object: the extensions agreed on and how many messages came back as they went.
const WebSocket = require('ws')
const [url, seed, count] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]

let state = seed >>> 0
const random = below => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return state % below
}
const message = number => {
  const bytes = Buffer.alloc(random(number % 10 === 9 ? 200000 : 4000))
  const alphabet = number % 3 === 0 ? 256 : 4
  for (let at = 0; at < bytes.length; at++) bytes[at] = random(alphabet)
  return bytes
}

const socket = new WebSocket(url, { perMessageDeflate: { threshold: 0, serverMaxWindowBits: 12 } })
let sent = null
let done = 0
const next = () => {
  if (done === count) return socket.close(1000)
  sent = message(done)
  const half = sent.length >> 1
  if (done % 4 !== 3) return socket.send(sent)
  socket.send(sent.subarray(0, half), { fin: false, compress: true })
  socket.send(sent.subarray(half), { fin: true })
}
socket.on('open', next)
socket.on('message', data => {
  if (!Buffer.from(data).equals(sent)) {
    console.error(`message ${done} came back changed (seed ${seed})`)
    process.exit(1)
  }
  done += 1
  next()
})
socket.on('error', error => {
  console.error(String(error))
  process.exit(1)
})
socket.on('close', code => {
  console.log(JSON.stringify({ code, done, extensions: socket.extensions }))
})
