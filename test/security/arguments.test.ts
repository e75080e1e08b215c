import { describe, expect, it } from 'vitest'
import { toMessage } from '../../shared/clients/git/message.ts'
import { checkPath } from '../../shared/clients/git/path.ts'
import { writeEvent } from '../../shared/event.ts'
import { parseAddress } from '../../shared/git-address.ts'
import { customizeCommands } from '../../shared/images/customize-commands.ts'
import { parseRepository, parseTag } from '../../shared/images/reference.ts'
import { lifecycleOf } from '../../shared/lifecycles.ts'
import * as paths from '../../shared/paths.ts'
import { toReply, toRun } from '../../shared/run.ts'
import { check } from '../../shared/schema/check.ts'
import { GuestCustomization } from '../../shared/schema/guest-customization.ts'
import { requests } from '../../shared/schema/requests.ts'
import { runOf } from '../examples/starter.ts'
import { keys, now, requestEvent, taskCalled } from '../shared/events.ts'
import { everything } from '../shared/images/customizations.ts'
import { type Door, requestDoors } from './doors.ts'

/** What somebody writes becomes a path, an argument, a line of commands, a header: never more than one, and never another. */

const hostile = [
  '-oProxyCommand=touch /tmp/x',
  '--upload-pack=touch /tmp/x',
  '-rf',
  '..',
  '../..',
  '../../../etc/passwd',
  'a/../../b',
  '/etc/passwd',
  'a/b',
  'a\\b',
  '.git',
  '.git/config',
  '.GIT',
  'git~1',
  '.g\u200cit',
  'a\nb',
  'a\rb',
  'a\u0000b',
  'a\u2028b',
  '$(id)',
  '`id`',
  '${IFS}',
  'a;id',
  'a|id',
  'a&id',
  "a'b",
  'a"b',
  'a b',
  'a\tb',
  '*',
  '?',
  '~',
  '{{ .x }}',
  'con\u202etxt',
  '%2e%2e%2f',
  '．．／',
]

/** Each text of a value, with the value that has another one in its place. */
function* placed(value: unknown, text: string, path = ''): Generator<[path: string, value: unknown]> {
  if (typeof value === 'string') yield [path, text]
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value))
    for (const [at, changed] of placed(inner, text, path === '' ? key : `${path}.${key}`))
      yield [
        at,
        Array.isArray(value) ? value.map((one, n) => (`${n}` === key ? changed : one)) : { ...value, [key]: changed },
      ]
}

/** Fields that are names: they become paths, names of objects, labels, arguments. */
const isName = (path: string) =>
  /(^|\.)(template|namespace|name|cluster|image|dataSource|store|storageClass|snapshot|disk|network|environment|application|instancetype|preference|customizationName|tag|repository|secret|caConfigMap|certConfigMap|ticket)$/.test(
    // The name of a user or a group is a text of RBAC's, with blanks and slashes.
    path.replace(/owner\.name$/, ''),
  ) || /^(customizations|destroy|detach)\./.test(path)

describe.each(requestDoors)('$name', ({ schema, good }: Door) => {
  it.each(hostile)('has no name that is %j', (text) => {
    const rows = good.flatMap((one) => [...placed(one, text)]).filter(([path]) => isName(path))
    expect(rows.length).toBeGreaterThan(0)
    const accepted = rows.filter(([path, value]) => {
      // A repository has a path; what is no host before it is refused by who reads it.
      if (path.endsWith('repository') || path.endsWith('tag')) return isReference(path, text)
      return check(schema, value, 'the request').ok
    })
    expect(accepted.map(([path]) => path)).toEqual([])
  })
})

function isReference(path: string, text: string): boolean {
  try {
    return path.endsWith('tag') ? parseTag(text) === text : parseRepository(text).host !== ''
  } catch {
    return false
  }
}

describe('a path of the fleet repository', () => {
  const folders = Object.entries(paths).filter(([name, value]) => typeof value === 'function' && !/^is|In$/.test(name))

  it.each(folders)('that %s makes of hostile words is refused by who writes it', (_, make) => {
    const of = make as (...words: string[]) => string
    const escapes = ['..', '../..', '../../../etc/passwd', 'a/../../b', '.git', '.GIT', 'a\nb', 'a\u0000b', 'a\\b', '.']
    for (const word of escapes) {
      const path = of(word, word, word, word)
      // A name that a digest stands before, or an ending behind, leads nowhere else by itself.
      const leads =
        path.split('/').some((part) => ['..', '.', '.git', '.GIT'].includes(part)) || /[\p{Cc}\\]/u.test(path)
      if (leads) expect(() => checkPath(path), path).toThrow('Cannot use the path')
    }
  })
})

describe('an address of the fleet repository', () => {
  it.each([
    'ext::sh -c id',
    '--upload-pack=id',
    '-oProxyCommand=id',
    'ssh://-oProxyCommand=id/x',
    'git@-oProxyCommand=id:x',
    'fd::17',
    'ftp://example.com/x',
    'javascript:alert(1)',
    'git://example.com/x',
    '\nhttps://example.com/x --upload-pack=id'.slice(1).replace('https', 'data'),
  ])('that is %s is refused', (address) => {
    expect(() => parseAddress(address)).toThrow('Cannot use the address of the fleet repository')
  })
})

describe('a commit message', () => {
  it.each(hostile)('of %j has its own trailers alone', (text) => {
    const trailers = { run: text, step: text, lifecycle: text, requester: `${text}\n\nDrover-Run: forged` }
    const message = toMessage(`provision ${text}`, trailers)
    const lines = message.split('\n')
    expect(lines.filter((line) => line.startsWith('Drover-'))).toHaveLength(4)
    expect(lines).toHaveLength(7)
    expect(message.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Zl}]/u)
  })
})

describe("virt-customize's commands", () => {
  const known =
    /^(hostname|timezone|mkdir|upload|run|root-password|ssh-inject|firstboot|no-logfile|chmod|delete)( [A-Za-z0-9/._@+=:-]+)?$/

  it.each(hostile)('are the same few words where a text is %j, or it is refused', (text) => {
    let taken = 0
    for (const [, value] of placed(everything(), text)) {
      const checked = check(GuestCustomization, value, 'the customization')
      if (!checked.ok) continue
      taken++
      const { commands = '' } = customizeCommands(checked.value, true)
      expect(
        commands
          .trimEnd()
          .split('\n')
          .filter((line) => !known.test(line)),
      ).toEqual([])
    }
    // Contents of files and scripts may be anything but a null character.
    expect(taken).toBeGreaterThanOrEqual(text.includes('\u0000') ? 0 : 1)
  })
})

describe('the headers of an event', () => {
  const says = { fact: 'validated', status: 'success', message: 'ok' } as const

  it.each([...hostile, 'x\r\nce-type: forged', 'x\r\n\r\nbody', 'é', '😀'])(
    'hold no second one where the request says %j',
    (text) => {
      const extensions = { correlationid: text, traceparent: text, hops: text }
      const cause = requestEvent({ id: text, source: '/x', subject: text, extensions })
      const request = { template: text, namespace: text, owner: { kind: 'User', name: text }, name: text } as const
      const run = runOf({
        id: '0123456789abcdef0123',
        request,
        requester: text,
        facts: { name: text, cluster: 'site-a' },
      })
      const lifecycle = lifecycleOf('provision')
      const limits = { deadlineMinutes: 30, undoMinutes: 15 }
      const { marks } = toRun(cause, 'requested', lifecycle, taskCalled('validate'), now, limits)
      const reply = toReply(
        {
          event: cause,
          lifecycle,
          task: taskCalled('validate'),
          run: { ...run, marks },
          source: '/drover/validate',
        },
        says,
        now,
        keys,
      )
      const { headers } = writeEvent(reply)
      expect(
        Object.entries(headers).filter(([name, value]) => !/^[a-z0-9-]+$/.test(name) || !/^[\x20-\x7e]*$/.test(value)),
      ).toEqual([])
      expect(headers['ce-type']).toBe('dev.drover.provision.validated')
    },
  )
})

describe('the schemas of requests', () => {
  it('are all there', () => {
    expect(requestDoors).toHaveLength(Object.keys(requests).length)
  })
})
