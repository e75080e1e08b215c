import { describe, expect, it } from 'vitest'
import { type Callback, notify } from '../../../functions/notify/notify.ts'
import { DroverError } from '../../../shared/errors.ts'
import type { Run } from '../../../shared/step.ts'
import { foundOut, runWith } from '../build/runs.ts'

const url = 'https://portal.example.com/hooks/17?key=hunter2'
const ended = (changes: Partial<Run> = {}): Run => ({
  ...runWith('notify', foundOut({ callback: { url } })),
  fact: 'completed',
  message: 'VM web-01 is ready',
  ...changes,
})

function callback(status: number): Callback & { posts: { url: string; headers: object; body: string }[] } {
  const posts: { url: string; headers: object; body: string }[] = []
  return {
    posts,
    post: async (to, headers, body) => {
      posts.push({ url: to, headers, body })
      return status
    },
  }
}

describe('notify', () => {
  it('has told everybody by the terminal event where no callback was asked for', async () => {
    const other = callback(500)
    expect(await notify(ended({ facts: {} }), other)).toMatchObject({
      kind: 'succeeded',
      message: 'The run ended: VM web-01 is ready',
    })
    expect(other.posts).toEqual([])
  })

  it('posts the terminal event to the callback, without the inner workings', async () => {
    const other = callback(204)
    const run = ended()
    expect(await notify(run, other)).toMatchObject({
      kind: 'succeeded',
      message: 'The run ended, and portal.example.com was told: VM web-01 is ready',
    })
    expect(other.posts).toMatchObject([{ url, headers: { 'content-type': 'application/cloudevents+json' } }])
    const event = JSON.parse(other.posts[0]?.body ?? '')
    expect(event).toMatchObject({
      specversion: '1.0',
      id: `${run.id}-completed`,
      type: 'dev.drover.provision.completed',
      runid: run.id,
      data: { vmName: 'web-01', namespace: 'shop', message: 'VM web-01 is ready', cluster: 'site-a' },
    })
    expect(event.data).not.toHaveProperty('machine')
    expect(event.data).not.toHaveProperty('definition')
  })

  it('tells of a failure and of what was kept', async () => {
    const failure = { task: 'check', title: 'Check the machine', message: 'Cannot accept it' }
    const facts = { ...foundOut({ callback: { url } }), kept: ['shop/web-01-data-db'] }
    const other = callback(200)
    await notify(ended({ fact: 'rolledback', failure, facts }), other)
    expect(JSON.parse(other.posts[0]?.body ?? '')).toMatchObject({
      type: 'dev.drover.provision.rolledback',
      data: { failure, kept: ['shop/web-01-data-db'] },
    })
  })

  it.each([500, 502, 503, 408, 429])('is tried again when the other side answers %i', async (status) => {
    await expect(notify(ended(), callback(status))).rejects.toThrow(`the callback answered ${status}`)
  })

  it.each([301, 302, 400, 401, 404, 410])('fails for good when the other side answers %i', async (status) => {
    expect(await notify(ended(), callback(status))).toMatchObject({
      kind: 'refused',
      message: `Cannot tell portal.example.com how the run ended: it answered ${status}`,
    })
  })

  it('names no more of the address than its host', async () => {
    const outcomes = await Promise.all([200, 404].map((status) => notify(ended(), callback(status))))
    expect(JSON.stringify(outcomes)).not.toContain('hunter2')
  })

  it('passes on that an address must not be reached', async () => {
    const refusing: Callback = { post: () => Promise.reject(new DroverError('refused', 'Cannot call back 10.0.0.1')) }
    await expect(notify(ended(), refusing)).rejects.toThrow('Cannot call back 10.0.0.1')
  })
})
