import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, it } from 'vitest'

const entry = join(import.meta.dirname, '../../../local/broker/main.ts')
const yaml = `
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: default }
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: t }
spec:
  broker: default
  subscriber: { ref: { apiVersion: serving.knative.dev/v1, kind: Service, name: validate } }
`
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'broker-main-'))
  await writeFile(join(folder, 'all.yaml'), yaml)
})
afterEach(() => rm(folder, { recursive: true }))

function start(...options: string[]) {
  const child = spawn(process.execPath, [entry, ...options])
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, ended }
}

it('the command says in a sentence what is wrong, and ends with 1', async () => {
  const { child, ended } = start('--dir', folder, '--port', '0')
  expect(await text(child.stderr)).toBe(
    'Cannot load Trigger "default/t": spec.subscriber.ref is "Service validate", wanted something whose address is known here\n',
  )
  expect(await ended).toBe(1)
})

it.each(['SIGTERM', 'SIGINT'] as const)(
  'the command says where it listens, accepts events, and ends on %s',
  async (signal) => {
    await writeFile(join(folder, 'hosts.json'), '{"default/validate": "http://127.0.0.1:1"}')
    const { child, ended } = start('--dir', folder, '--port', '0', '--host-map', join(folder, 'hosts.json'))
    const line = await new Promise<string>((resolve) =>
      child.stdout.once('data', (chunk: Buffer) => resolve(String(chunk))),
    )
    const address = /http:\S+/.exec(line)?.[0] ?? ''
    expect((await fetch(`${address}/default/default`, { method: 'POST' })).status).toBe(400)
    child.kill(signal)
    expect(await ended).toBe(0)
  },
)
