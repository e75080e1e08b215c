import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { messageOf } from '../../shared/errors.ts'
import { type RunningBroker, startBroker } from './broker.ts'
import type { Resolve } from './check.ts'
import { readManifests } from './load.ts'

const usage = `npm run broker -- --dir DIR [--dir DIR]... [--port N] [--host-map FILE] [--quiet] [--while-stdin]

Serves every Broker and Trigger of the folders' YAML at http://127.0.0.1:N/<namespace>/<broker>.
  --host-map FILE  JSON {"<namespace>/<name>": "<address>"}: where the Services are that Triggers name
  --quiet          says nothing about deliveries that failed for good
  --while-stdin    ends when standard input does
`

/** Starts the Broker as the command line says; it ends on SIGINT and SIGTERM. */
async function main(): Promise<void> {
  const { dir, port, quiet, help, ...values } = readOptions()
  if (help || dir === undefined) {
    process.stdout.write(usage)
    process.exitCode = help ? 0 : 2
    return
  }
  const broker = await startBroker({
    manifests: await readManifests(...dir),
    port: readPort(port),
    resolve: await readHostMap(values['host-map']),
    refuse: complain,
    warn: quiet ? () => undefined : complain,
  })
  process.stdout.write(`The Broker listens at ${broker.base}\n`)
  endOn(broker, values['while-stdin'])
}

function readOptions() {
  return parseArgs({
    options: {
      dir: { type: 'string', multiple: true },
      port: { type: 'string', default: '8181' },
      'host-map': { type: 'string' },
      quiet: { type: 'boolean', default: false },
      'while-stdin': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }).values
}

function readPort(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port < 65_536 && text !== '') return port
  throw new Error(`Cannot listen: --port is "${text}", wanted a number from 0 to 65535`)
}

async function readHostMap(path: string | undefined): Promise<Resolve> {
  if (path === undefined) return () => undefined
  const map = new Map(Object.entries(await readJson(path)))
  return ({ name }, namespace) => {
    const address = map.get(`${namespace}/${name}`)
    return typeof address === 'string' && URL.canParse(address) ? new URL(address) : undefined
  }
}

async function readJson(path: string): Promise<object> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (typeof value === 'object' && value !== null) return value
  } catch (cause) {
    throw new Error(`Cannot read ${path}: ${messageOf(cause)}`, { cause })
  }
  throw new Error(`Cannot read ${path}: it is no JSON object, wanted {"<namespace>/<name>": "<address>"}`)
}

function endOn(broker: RunningBroker, whileStdin: boolean): void {
  const end = () => broker.close().then(() => process.exit(0))
  process.once('SIGINT', end).once('SIGTERM', end)
  if (whileStdin) process.stdin.once('close', end).resume()
}

function complain(sentence: string): void {
  process.stderr.write(`${sentence}\n`)
}

main().catch((error: unknown) => {
  complain(messageOf(error))
  process.exitCode = 1
})
