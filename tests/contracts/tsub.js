// Segment's own filter engine, as its browser library carries it, asked line by line:
//   {"event": {...}, "ir": [...]}            ->  true or false
//   {"event": {...}, "transformers": [...]}  ->  the event as it goes out, null when it does not
globalThis.self = globalThis // it was built for browsers
const { matches, transform } = require(process.argv[2])

require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { event, ir, transformers } = JSON.parse(line)
  const answer = transformers ? transform(event, transformers) : matches(event, { type: 'fql', ir: JSON.stringify(ir) })
  process.stdout.write(`${JSON.stringify(answer)}\n`)
})
