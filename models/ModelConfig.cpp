//===- ModelConfig.cpp - A model as plain data ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/ModelConfig.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace chipwright::models {

bool ModelConfig::hasExperts() const {
  return denseLayers() != static_cast<int64_t>(layers.size());
}

int64_t ModelConfig::denseLayers() const {
  return std::count_if(layers.begin(), layers.end(),
                       [](const LayerConfig &layer) {
                         return layer.feedForward == FeedForward::Dense;
                       });
}

std::vector<float> inverseFrequencies(const RopeConfig &rope,
                                      int64_t headSize) {
  std::vector<float> result;
  for (int64_t i = 0; 2 * i < headSize; ++i) {
    double frequency = std::pow(rope.theta, -2.0 * static_cast<double>(i) /
                                                static_cast<double>(headSize));
    const RopeScaling &scaling = rope.scaling;
    if (scaling.kind == RopeScalingKind::Llama3) {
      // Wavelengths are compared with two bounds; when the bounds are equal
      // (Llama 4 Scout) nothing lies between them and the blend, which would
      // divide by their difference, is never reached.
      double waveLength = 2 * std::numbers::pi / frequency;
      double high = scaling.originalPositions / scaling.highFrequencyFactor;
      double low = scaling.originalPositions / scaling.lowFrequencyFactor;
      if (waveLength > low) {
        frequency /= scaling.factor;
      } else if (waveLength >= high && low > high) {
        double s = (scaling.originalPositions / waveLength -
                    scaling.lowFrequencyFactor) /
                   (scaling.highFrequencyFactor - scaling.lowFrequencyFactor);
        frequency = (1 - s) * frequency / scaling.factor + s * frequency;
      }
    }
    result.push_back(static_cast<float>(frequency));
  }
  return result;
}

double temperatureAt(const TemperatureConfig &config, int64_t position) {
  double steps =
      std::floor((static_cast<double>(position) + 1) / config.floorScale);
  return std::log1p(steps) * config.scale + 1;
}

} // namespace chipwright::models
