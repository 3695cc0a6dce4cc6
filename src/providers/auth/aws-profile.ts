import type { AuthGround } from './ground.ts'
import { assumeByToken, assumeRole, type Role, type TimedKeys } from './aws-fetch.ts'
import { keysOfContainer, keysOfInstance } from './aws-neighbours.ts'
import { processKeys } from './aws-process.ts'
import { keysFrom, misconfigured, readProfile, readTokenFile } from './aws-settings.ts'
import type { AwsIdentity, AwsProfile } from './aws-settings.ts'
import { ssoKeys } from './aws-sso.ts'
import type { AwsKeys } from './sigv4.ts'

/** Keys in files hold for good, yet files change: they are read again when two thirds of this are over, milliseconds. */
const FILE_LIFE_MS = 7.5 * 60_000
/** Profiles that name one another end here. */
const MAX_PROFILES = 5

/** Does it name a role, and whose keys assume it? */
export function assumesRole(profile: AwsProfile | undefined): boolean {
  return profile?.has('role_arn') === true && !profile.has('web_identity_token_file')
}

/** Is there any way from it to keys? One may hold no more than a region. */
export function givesKeys(profile: AwsProfile | undefined): boolean {
  const names = ['aws_access_key_id', 'role_arn', 'credential_process', 'sso_session', 'sso_start_url']
  return profile !== undefined && names.some((name) => profile.has(name))
}

/** The keys of a profile, or of the role that it assumes. */
export async function profileKeys(name: string, who: AwsIdentity, ground: AuthGround): Promise<TimedKeys> {
  return keysOf(name, who, ground, MAX_PROFILES)
}

async function keysOf(name: string, who: AwsIdentity, ground: AuthGround, left: number): Promise<TimedKeys> {
  if (left === 0) throw misconfigured('profiles name one another in a circle')
  const profile = await readProfile(who.env, name)
  if (profile === undefined) throw misconfigured(`no profile "${name}" in AWS's files`)
  const arn = profile.get('role_arn')
  if (arn === undefined) return ownKeys(name, profile, who, ground)
  const role: Role = {
    arn,
    session: profile.get('role_session_name'),
    externalId: profile.get('external_id'),
  }
  const file = profile.get('web_identity_token_file')
  if (file !== undefined) return assumeByToken(role, await readTokenFile(file), who, ground)
  if (profile.has('mfa_serial'))
    throw misconfigured(`profile "${name}" needs the code of an mfa_serial, and nobody is here to type it`)
  return assumeRole(role, await sourceKeys(name, profile, who, ground, left), who, ground)
}

/** In the order of AWS's SDK for Python: single sign-on, keys, a program. */
async function ownKeys(
  name: string,
  profile: AwsProfile,
  who: AwsIdentity,
  ground: AuthGround,
): Promise<TimedKeys> {
  if (profile.has('sso_session') || profile.has('sso_start_url'))
    return ssoKeys(name, profile, who.env, ground)
  const own = keysFrom((key) => profile.get(key))
  if (own !== undefined) return { ...own, expiresAt: ground.now() + FILE_LIFE_MS }
  const command = profile.get('credential_process')
  if (command !== undefined) return processKeys(name, command, who.env)
  throw misconfigured(
    `profile "${name}" has no aws_access_key_id, role_arn, credential_process, sso_session or sso_start_url`,
  )
}

/** With whose keys a profile's role is assumed (https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html). */
async function sourceKeys(
  name: string,
  profile: AwsProfile,
  who: AwsIdentity,
  ground: AuthGround,
  left: number,
): Promise<AwsKeys> {
  const source = profile.get('source_profile')
  if (source !== undefined) {
    const own = source === name ? keysFrom((key) => profile.get(key)) : undefined
    return own ?? keysOf(source, who, ground, left - 1)
  }
  const kind = profile.get('credential_source')
  switch (kind) {
    case 'Environment': {
      const keys = keysFrom((key) => who.env[key.toUpperCase()])
      if (keys !== undefined) return keys
      throw misconfigured(
        `profile "${name}" wants the keys of the environment, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set`,
      )
    }
    case 'Ec2InstanceMetadata':
      return keysOfInstance(who.env, ground)
    case 'EcsContainer': {
      const keys = await keysOfContainer(who.env, ground)
      if (keys !== undefined) return keys
      throw misconfigured(
        `profile "${name}" wants the keys of a container, and neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set`,
      )
    }
    case undefined:
      throw misconfigured(`profile "${name}" names a role, but nobody who may assume it: set source_profile`)
    default:
      throw misconfigured(
        `profile "${name}" has a credential_source that is not known: "${kind}"; known are Environment, Ec2InstanceMetadata and EcsContainer`,
      )
  }
}
