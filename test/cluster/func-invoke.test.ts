import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Ports } from '../../local/functions.ts'
import { announceRuns } from '../../local/runs.ts'
import { functionNames } from '../../shared/lifecycles.ts'
import { runId } from '../../shared/run.ts'
import { type Chain, small, startChain } from '../chain/harness.ts'
import { openApi } from './api.ts'
import { openRequestReply, type RequestReply } from './request-reply.ts'
import { runTool } from './tools.ts'

/** The real `func invoke` and `kn func invoke`, with the functions, the Broker and RequestReply. */

const plane = inject('controlPlane')
if (!plane) throw new Error('Cannot run on the stand-ins: this is about the real func')
const api = openApi(plane.kubeconfig)
const home = mkdtempSync(join(tmpdir(), 'drover-invoke-'))
const requested = 'dev.drover.provision.requested'

let chain: Chain
let requestReply: RequestReply
let address: string
beforeAll(async () => {
  chain = await startChain()
  requestReply = await openRequestReply(api, plane)
  const service = await api.get('Service', 'drover', 'validate')
  address = service?.metadata.annotations?.['control-plane/url'] ?? ''
})
afterAll(async () => {
  await requestReply?.close()
  await chain?.close()
  api.close()
  rmSync(home, { recursive: true, force: true })
})

/** The functions' folders, where `func` looks for func.yaml and for what runs; it writes there. */
function copyOfFunctions(): string {
  const folder = mkdtempSync(join(home, 'functions-'))
  for (const name of functionNames) {
    mkdirSync(join(folder, name))
    cpSync(new URL(`../../functions/${name}/func.yaml`, import.meta.url).pathname, join(folder, name, 'func.yaml'))
  }
  return folder
}

const folder = copyOfFunctions()
const invoke = (tool: 'func' | 'kn', data: object, ...args: string[]) => {
  const own = ['invoke', '-p', join(folder, 'validate'), '--type', requested, '--data', JSON.stringify(data), ...args]
  return runTool(plane, home, tool, tool === 'kn' ? ['func', ...own] : own)
}

describe.each(['func', 'kn'] as const)('%s invoke', (tool) => {
  it('finds the function that runs here, and prints what it answers', async () => {
    const ports = Object.fromEntries(functionNames.map((name) => [name, Number(new URL(address).port)])) as Ports
    const takeBack = announceRuns(folder, ports)
    const { code, said } = await invoke(tool, small())
    takeBack()
    expect(said).toMatch(/^ {2}type: dev\.drover\.provision\.validated$/m)
    expect(said).toMatch(/^ {2}runid: [0-9a-f]{20}$/m)
    expect(code).toBe(0)
  })

  it('asks the function at an address, and prints a refusal with all of its sentences', async () => {
    const { said } = await invoke(tool, { template: 'none', size: 'big' }, '--target', address)
    expect(said).toMatch(/^ {2}type: dev\.drover\.provision\.validate\.failed$/m)
    expect(said).toContain('size is')
    expect(said).toContain('namespace is missing')
    expect(said).toContain('owner is missing')
  })

  it('posts to the Broker, and is silent', async () => {
    const id = `by-${tool}-${Date.now()}`
    const data = { template: 'none', namespace: 'shop', owner: { kind: 'Group', name: 'team-shop' } }
    const { code, said } = await invoke(tool, data, '--target', chain.broker, '--id', id)
    expect(said.trim()).toBe('')
    expect(code).toBe(0)
    const run = runId('/boson/fn', id)
    const ended = await chain.feed.first((seen) => seen.run === run && seen.type.endsWith('.rolledback'))
    expect(ended.data.message).toContain('none')
  })

  it('is silent as well where nobody listens, which the docs warn of', async () => {
    const { code, said } = await invoke(tool, small(), '--target', 'http://127.0.0.1:1')
    expect([code, said.trim()]).toEqual([0, ''])
  })
})

describe('func invoke to RequestReply', () => {
  it('prints the last event of a run that completes', async () => {
    const data = small()
    const id = `whole-${Date.now()}`
    const { code, said } = await invoke('func', data, '--target', requestReply.url, '--id', id)
    const run = runId('/boson/fn', id)
    // RequestReply waits no longer than a minute.
    const events = chain.feed.seen.filter((seen) => seen.run === run).map(({ type }) => type)
    expect(said, events.join('\n')).toMatch(/^ {2}type: dev\.drover\.provision\.completed$/m)
    expect(said).toContain(`VM ${data.name} is ready on`)
    expect(said).toMatch(/^ {2}replyid: .+$/m)
    expect(code).toBe(0)
  })

  it('prints the last event of a run that is refused', async () => {
    const { said } = await invoke('func', small({ template: 'none' }), '--target', requestReply.url)
    expect(said).toMatch(/^ {2}type: dev\.drover\.provision\.rolledback$/m)
    expect(said).toContain('none')
  })
})
