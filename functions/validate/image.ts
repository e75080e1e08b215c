import { messageOf } from '../../shared/errors.ts'
import type { Fleet } from '../../shared/fleet.ts'
import type { Rights } from '../../shared/grants.ts'
import { followerName, longestFollower } from '../../shared/images/names.ts'
import { parseRepository, parseTag } from '../../shared/images/reference.ts'
import { secretWords } from '../../shared/named-secrets.ts'
import { check } from '../../shared/schema/check.ts'
import { GoldenImageRequest, type ImageRequest } from '../../shared/schema/requests.ts'
import { scheduleProblems } from '../../shared/schema/schedule.ts'
import { show } from '../../shared/schema/show.ts'
import type { Outcome } from '../../shared/step.ts'
import { diskCustomizationProblems } from './disk-customization.ts'
import { grant } from './grant.ts'
import { secretProblems } from './secrets.ts'
import { plainProblems, refusal, type Unproved } from './unproved.ts'

/** Says whether a golden image may be made as a request wants it, with every problem of it at once. Changes nothing. */
export async function validateImage(run: Unproved, fleet: Pick<Fleet, 'head'>, rights?: Rights): Promise<Outcome> {
  const checked = check(GoldenImageRequest, run.request, 'the request')
  if (!checked.ok) return refusal(checked.problems)
  const request = checked.value
  const { namespace, image } = request
  return grant(
    run,
    {
      request,
      what: `image ${image} in namespace ${namespace}`,
      judge: async (tree) => ({
        subject: { request, machine: {}, name: undefined, image: request, secrets: secretWords(request) },
        problems: [
          ...urlProblems(request),
          ...pushProblems(request),
          ...followProblems(request),
          ...secretProblems(request),
          ...(await diskCustomizationProblems(tree, request)),
        ],
      }),
    },
    fleet,
    rights,
  )
}

/** What policy has looked at must be what the cluster fetches, and nothing in it may be secret. */
function urlProblems({ source }: ImageRequest): string[] {
  if (!('url' in source)) return []
  const url = URL.canParse(source.url) ? new URL(source.url) : undefined
  if (!url) return [`source.url is ${show(source.url)}, wanted a URL`]
  const problems = plainProblems('source.url', source.url, url)
  if (problems.length > 0) return problems
  return url.href === source.url ? [] : [`source.url is ${show(source.url)}, wanted its plain form ${show(url.href)}`]
}

function pushProblems({ push, publish }: ImageRequest): string[] {
  if (!push)
    return publish?.follow ? ['publish.follow is there and push is not, wanted a tag that can be followed'] : []
  return [
    ...problemIn('push.repository', () => parseRepository(push.repository)),
    ...problemIn('push.tag', () => parseTag(push.tag)),
  ]
}

function followProblems({ image, publish: { follow, dataSource = image } = {} }: ImageRequest): string[] {
  if (!follow) return []
  const follower = followerName(dataSource)
  const longest = longestFollower - followerName('').length
  return [
    ...scheduleProblems(follow.schedule).map((problem) => `publish.follow.schedule ${problem}`),
    ...(follower.length <= longestFollower
      ? []
      : [
          `publish.follow makes ${show(follower)} of ${follower.length} characters, wanted at most ${longestFollower}: CDI imports nothing for a longer name, so say a publish.dataSource of at most ${longest}`,
        ]),
  ]
}

function problemIn(path: string, parse: () => unknown): string[] {
  try {
    parse()
    return []
  } catch (error) {
    return [`${path}: ${messageOf(error)}`]
  }
}
