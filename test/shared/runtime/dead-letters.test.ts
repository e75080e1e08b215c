import { describe, expect, it } from 'vitest'
import { readConfig } from '../../../shared/config.ts'
import { type Event, writeEvent } from '../../../shared/event.ts'
import type { FunctionName } from '../../../shared/lifecycles.ts'
import { serve } from '../../../shared/runtime/function.ts'
import { startRuntime } from '../../../shared/runtime/start.ts'
import { succeeded } from '../../../shared/step.ts'
import { freePort } from '../../free-port.ts'
import { chainEvent, keys } from '../events.ts'

const failure = { task: 'check', title: 'Check the machine', message: 'Cannot accept VM web-01' }
const failed = chainEvent('check', { fact: 'check.failed', status: 'failure', failure })
const step = chainEvent('address')
const error = { knativeerrordest: 'http://place.drover', knativeerrorcode: '503' }

/** A function, and what its step got and what it posted. */
function functionOf(name: FunctionName | undefined) {
  const did: string[] = []
  const config = readConfig({
    DROVER_GIT_URL: 'https://git.example.com/fleet.git',
    DROVER_SIGNING_KEYS: keys.map((key) => `${key.id}:${key.secret.replaceAll(' ', '-')}`).join(),
    DROVER_LOG_LEVEL: 'silent',
  })
  const wire = () => ({
    step: async () => {
      did.push('worked')
      return succeeded('done')
    },
    post: async ({ type }: Event) => void did.push(`posted ${type}`),
  })
  return { did, module: serve(name, async () => wire, { ...config, signingKeys: () => keys }) }
}

const messageOf = (event: Event, marks: object) =>
  writeEvent({ ...event, extensions: { ...event.extensions, ...marks } })

/** As the runtime calls it. */
async function deliver(name: FunctionName | undefined, event: Event, marks: object, headers: object) {
  const { module, did } = functionOf(name)
  module.init()
  const message = messageOf(event, marks)
  const { statusCode } = await module.handle({
    headers: { ...message.headers, ...headers },
    body: Buffer.from(message.body),
    method: 'POST',
  })
  return [statusCode, ...did]
}

/** As it is reached from outside. */
async function post(path: string, event: Event, marks: object, headers: object) {
  const { module, did } = functionOf('recover')
  const port = await freePort()
  const server = await startRuntime(module, port)
  try {
    const message = messageOf(event, marks)
    const { status } = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { ...message.headers, ...headers },
      body: message.body,
    })
    return [status, ...did]
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const reply = { prefer: 'reply' }

describe('recover takes for a dead letter', () => {
  it.each<[string, FunctionName | undefined, Event, object, object, unknown[]]>([
    ['a step that comes with its error', 'recover', step, error, {}, [204, 'posted dev.drover.provision.place.failed']],
    ['a step without one', 'recover', step, {}, {}, [204, 'posted dev.drover.provision.place.failed']],
    [
      'a failure that comes with its error',
      'recover',
      failed,
      error,
      {},
      [204, 'posted dev.drover.provision.stranded'],
    ],
    [
      'a step that Kafka brings, which asks for a reply',
      'recover',
      step,
      error,
      { ...reply, 'x-drover-dead': 'true' },
      [204, 'posted dev.drover.provision.place.failed'],
    ],
    [
      'a failure that Kafka brings, which asks for a reply',
      'recover',
      failed,
      error,
      { ...reply, 'x-drover-dead': 'true' },
      [204, 'posted dev.drover.provision.stranded'],
    ],
    ['no failure that asks for a reply', 'recover', failed, {}, reply, [200, 'worked']],
    ['no failure that comes by hand', 'recover', failed, {}, {}, [200, 'worked']],
    ['nothing of another function', 'place', step, error, {}, [200, 'worked']],
    ['nothing that is brought there', 'place', step, error, { 'x-drover-dead': 'true' }, [200, 'worked']],
    [
      'a step, where one process is all functions',
      undefined,
      step,
      error,
      {},
      [204, 'posted dev.drover.provision.place.failed'],
    ],
    ['no step that asks for a reply there', undefined, step, {}, reply, [200, 'worked']],
    ['no step that comes by hand there', undefined, step, {}, {}, [200, 'worked']],
  ])('%s', async (_, name, event, marks, headers, did) => {
    expect(await deliver(name, event, marks, headers)).toEqual(did)
  })

  it.each<[string, string, Event, object, unknown[]]>([
    ['what Kafka brings to its path', '/dead', failed, reply, [204, 'posted dev.drover.provision.stranded']],
    ['nothing that only says so', '/', failed, { ...reply, 'x-drover-dead': 'true' }, [200, 'worked']],
  ])('%s', async (_, path, event, headers, did) => {
    expect(await post(path, event, error, headers)).toEqual(did)
  })
})
