// Segment's own filter engine beside ours: every filter of every destination is asked about every message, as browsers
// do it. Reads {"engine", "events", "filters", "rounds"} on stdin, writes {"microseconds": a message, "true": how many}.
globalThis.self = globalThis
const { engine, events, filters, rounds } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'))
const { matches } = require(engine)
const matchers = filters.map((ir) => ({ type: 'fql', ir: JSON.stringify(ir) }))

const ask = () => {
  let held = 0
  for (const event of events) for (const matcher of matchers) if (matches(event, matcher)) held += 1
  return held
}

let held = ask() // the first round is for the compiler
let best = Infinity
for (let round = 0; round < rounds; round += 1) {
  const began = process.hrtime.bigint()
  held = ask()
  best = Math.min(best, Number(process.hrtime.bigint() - began) / 1000)
}
process.stdout.write(JSON.stringify({ microseconds: best / events.length, true: held }))
