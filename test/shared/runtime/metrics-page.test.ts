import { once } from 'node:events'
import type { Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serve } from '../../../shared/runtime/function.ts'
import { startRuntime } from '../../../shared/runtime/start.ts'
import { instruments } from '../../../shared/telemetry/metrics.ts'
import { freePort } from '../../free-port.ts'

let server: Server
let own: string
let apart: string
beforeAll(async () => {
  const [port, metricsPort] = [await freePort(), await freePort()]
  const module = serve('validate', () => Promise.reject(new Error('nothing is wired')))
  server = await startRuntime({ ...module, init: () => undefined }, port, metricsPort)
  own = `http://127.0.0.1:${port}`
  apart = `http://127.0.0.1:${metricsPort}`
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

describe('/metrics', () => {
  it('is one page with what Drover measures and what the runtime says of its process', async () => {
    const answer = await fetch(`${own}/metrics`)
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const page = await answer.text()
    for (const { name, kind } of instruments) expect(page).toContain(`# TYPE ${name} ${kind}\n`)
    for (const name of ['faas_invocations', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds'])
      expect(page).toContain(`# TYPE ${name} `)
    const types = page.split('\n').filter((line) => line.startsWith('# TYPE '))
    expect(types).toEqual([...new Set(types)])
    expect(page.endsWith('\n')).toBe(true)
  })

  it('is on its own port too, where there is nothing else and nothing can be posted', async () => {
    expect(await (await fetch(`${apart}/metrics`)).text()).toContain('# TYPE drover_step_seconds histogram')
    for (const [path, method] of [
      ['/', 'POST'],
      ['/', 'GET'],
      ['/metrics', 'POST'],
      ['/health/readiness', 'GET'],
    ])
      expect((await fetch(`${apart}${path}`, { method: method ?? '' })).status).toBe(404)
  })
})
