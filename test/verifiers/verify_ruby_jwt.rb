require 'json'
require 'jwt'
require 'net/http'

asked = JSON.parse($stdin.read)
keys = JSON.parse(Net::HTTP.get(URI(asked['keys'])))

asked['tokens'].each do |token|
  claims, = JWT.decode(
    token, nil, true,
    algorithms: [asked['alg']], jwks: keys,
    iss: asked['issuer'], verify_iss: true, aud: asked['audience'], verify_aud: true
  )
  puts "sub #{claims['sub']}"
rescue StandardError => error
  puts "refused #{error.class}"
end
