import { describe, expect, it } from 'vitest'
import { type Callback, notify } from '../../../functions/notify/notify.ts'
import { DroverError } from '../../../shared/errors.ts'
import type { Run } from '../../../shared/step.ts'
import { dualStack } from '../../shared/cloudinit/guests.ts'
import { linuxServer } from '../../shared/kubevirt/definitions.ts'
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
    expect(await notify(ended({ facts: {} }), other)).toEqual({
      kind: 'succeeded',
      message: 'The run ended: VM web-01 is ready',
      facts: {},
    })
    expect(other.posts).toEqual([])
  })

  it('posts the terminal event to the callback, without the inner workings', async () => {
    const other = callback(204)
    const found = {
      observed: { status: 'Running', addresses: ['10.20.0.17'], guestAgent: true, node: 'node-1' },
      revision: '5d34ea0cc3',
      cmdb: { id: 'CI-17', state: 'operational' as const },
    }
    const facts = foundOut({
      callback: { url },
      definition: linuxServer(),
      claims: { 'web-01-root': 'uid-1' },
      ...found,
    })
    const run = ended({ facts })
    expect(await notify(run, other)).toEqual({
      kind: 'succeeded',
      message: 'The run ended, and portal.example.com was told: VM web-01 is ready',
      facts: {},
    })
    expect(other.posts).toMatchObject([{ url, headers: { 'content-type': 'application/cloudevents+json' } }])
    expect(JSON.parse(other.posts[0]?.body ?? '')).toEqual({
      specversion: '1.0',
      id: `${run.id}-completed`,
      source: '/drover/notify',
      type: 'dev.drover.provision.completed',
      datacontenttype: 'application/json',
      runid: run.id,
      data: {
        vmName: 'web-01',
        namespace: 'shop',
        requester: 'ann@example.com',
        message: 'VM web-01 is ready',
        cluster: 'site-a',
        interfaces: [dualStack()],
        dns: [],
        ...found,
      },
    })
  })

  it('tells of a run that ended before its machine had a name', async () => {
    const failure = { task: 'name', title: 'Generate and reserve the VM name', message: 'Cannot name the machine' }
    const other = callback(200)
    await notify(ended({ fact: 'rolledback', message: failure.message, failure, facts: { callback: { url } } }), other)
    expect(JSON.parse(other.posts[0]?.body ?? '').data).toEqual({
      vmName: '',
      namespace: 'shop',
      requester: 'ann@example.com',
      message: failure.message,
      failure,
    })
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

  it.each([200, 202, 299])('is done when the other side answers %i', async (status) => {
    expect(await notify(ended(), callback(status))).toMatchObject({ kind: 'succeeded' })
  })

  it.each([500, 502, 503, 408, 429])('is tried again when the other side answers %i', async (status) => {
    await expect(notify(ended(), callback(status))).rejects.toThrow(`the callback answered ${status}`)
  })

  it.each([101, 300, 301, 302, 400, 401, 404, 407, 409, 410, 428, 430, 499])(
    'fails for good when the other side answers %i',
    async (status) => {
      expect(await notify(ended(), callback(status))).toMatchObject({
        kind: 'refused',
        message: `Cannot tell portal.example.com how the run ended: it answered ${status}`,
      })
    },
  )

  it('names no more of the address than its host', async () => {
    const outcomes = await Promise.all([200, 404].map((status) => notify(ended(), callback(status))))
    expect(JSON.stringify(outcomes)).not.toContain('hunter2')
  })

  it('passes on that an address must not be reached', async () => {
    const refusing: Callback = { post: () => Promise.reject(new DroverError('refused', 'Cannot call back 10.0.0.1')) }
    await expect(notify(ended(), refusing)).rejects.toThrow('Cannot call back 10.0.0.1')
  })
})
