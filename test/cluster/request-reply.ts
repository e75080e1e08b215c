import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../free-port.ts'
import type { Api } from './api.ts'
import type { ControlPlane } from './control-plane.ts'
import { isReady, until } from './platform.ts'
import { toolAt } from './tools.ts'

const system = 'knative-eventing'
const secret = 'request-reply-keys'
const name = 'runs'

/** Where RequestReply `runs` takes requests. */
export interface RequestReply {
  url: string
  close(): Promise<void>
}

/**
 * The RequestReply of `broker/`: where Knative has made it ready, as it is; else with Knative's own data plane as a process,
 * and what its controller would have written by hand.
 */
export async function openRequestReply(api: Api, plane: ControlPlane): Promise<RequestReply> {
  const found = await api.get('RequestReply', 'drover', name)
  const { address } = (found?.['status'] ?? {}) as { address?: { url: string } }
  if (address) return { url: address.url, close: async () => undefined }
  const [port, tlsPort] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${port}/drover/${name}`
  const secrets = join(plane.directory, secret)
  const key = randomBytes(32)
  mkdirSync(secrets, { recursive: true })
  writeFileSync(join(secrets, `drover.${name}.key-0`), key)
  await api.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secret, namespace: system, labels: { 'eventing.knative.dev/part-of': 'request-reply' } },
    data: { [`drover.${name}.key-0`]: key.toString('base64') },
  })
  await api.apply({
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Trigger',
    metadata: { name: `${name}-reply`, namespace: 'drover', labels: { 'eventing.knative.dev/broker': 'default' } },
    spec: {
      broker: 'default',
      filter: {},
      filters: [{ cesql: `KN_VERIFY_CORRELATION_ID(replyid, "${name}", "drover", "${secret}", 0, 1)` }],
      subscriber: { uri: `${url}/reply` },
    },
  })
  const annotations = { 'knative.dev/brokerAddress': `${plane.ingress}/drover/default` }
  await api.merge('RequestReply', 'drover', name, { status: { annotations } }, { subresource: 'status' })
  const log = openSync(join(plane.directory, `${secret}.log`), 'a')
  const child = spawn(toolAt(plane, 'request-reply'), {
    env: {
      HTTP_PORT: String(port),
      HTTPS_PORT: String(tlsPort),
      POD_INDEX: '0',
      SECRETS_PATH: secrets,
      SYSTEM_NAMESPACE: system,
      KUBECONFIG: plane.kubeconfig,
    },
    stdio: ['ignore', log, log],
  })
  const isUp = () =>
    fetch(url).then(
      () => true,
      () => false,
    )
  await until('RequestReply takes requests', async () => {
    return (await isUp()) && isReady(await api.get('Trigger', 'drover', `${name}-reply`))
  })
  return {
    url,
    close: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
      await api.remove('Trigger', 'drover', `${name}-reply`)
    },
  }
}
